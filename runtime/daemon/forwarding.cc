#include "runtime/daemon/forwarding.h"

namespace march::daemon {
namespace {

constexpr std::uint64_t kNanoseconds = 1'000'000'000;
constexpr std::uint64_t kAnswersPerSecond = 1000;
constexpr std::uint64_t kMostAnswersPerSecond = 1'000'000;
// After a silence, as many answers at once as are due in so long.
constexpr std::uint64_t kBurst = kNanoseconds / 10;

}  // namespace

bool ReadForward(ConfigReader& reader, const YamlNode* value, bool otherwise) {
  return value != nullptr ? reader.Word(*value, {"kernel", "fast"}) == "fast" : otherwise;
}

march_reject_config ReadReject(ConfigReader& reader, const YamlNode* section) {
  std::uint64_t per_second = kAnswersPerSecond;
  bool all_denied = false;
  if (section != nullptr && reader.IsMap(*section, "reject")) {
    reader.CheckKeys(*section, {"answer", "per_second"});
    if (const YamlNode* node = ConfigReader::Find(*section, "answer")) {
      all_denied = reader.Word(*node, {"rejected", "denied"}) == "denied";
    }
    if (const YamlNode* node = ConfigReader::Find(*section, "per_second")) {
      reader.Number(*node, "per_second", 0, kMostAnswersPerSecond, per_second);
    }
  }
  march_reject_config reject{};
  if (per_second == 0) return reject;
  reject.interval = kNanoseconds / per_second;
  reject.burst = kBurst;
  reject.all_denied = all_denied ? 1 : 0;
  return reject;
}

}  // namespace march::daemon
