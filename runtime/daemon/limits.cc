#include "runtime/daemon/limits.h"

namespace march::daemon {
namespace {

constexpr std::uint64_t kEntries = 65536;
// 16 million: 256 MB. None would mean that limits are not enforced, and a policy always is.
constexpr std::uint64_t kMostEntries = 1 << 24;

}  // namespace

march_limit_config ReadLimits(ConfigReader& reader, const YamlNode* section) {
  std::uint64_t entries = kEntries;
  if (section != nullptr && reader.IsMap(*section, "limits")) {
    reader.CheckKeys(*section, {"entries"});
    if (const YamlNode* node = ConfigReader::Find(*section, "entries")) {
      reader.Number(*node, "entries", 1, kMostEntries, entries);
    }
  }
  march_limit_config limits{};
  limits.lines = static_cast<std::uint32_t>((entries + MARCH_LIMIT_LANES - 1) / MARCH_LIMIT_LANES);
  return limits;
}

}  // namespace march::daemon
