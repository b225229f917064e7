#include "runtime/daemon/connections.h"

#include <array>

namespace march::daemon {
namespace {

constexpr std::uint64_t kEstablished = 262144;
constexpr std::uint64_t kNew = 65536;
// 16 million flows of either kind: 2.3 GB.
constexpr std::uint64_t kMostFlows = 1 << 24;
constexpr std::uint64_t kDay = 24 * 60 * 60;

struct Timeout {
  march_timeout which;
  std::string_view key;
  std::uint64_t seconds;
};

constexpr std::array kTimeouts = {
    Timeout{MARCH_TIMEOUT_TCP_OPENING, "tcp_opening", 30},
    Timeout{MARCH_TIMEOUT_TCP_ESTABLISHED, "tcp_established", 2 * 60 * 60 + 4 * 60},
    Timeout{MARCH_TIMEOUT_TCP_CLOSING, "tcp_closing", 5 * 60},
    Timeout{MARCH_TIMEOUT_TCP_CLOSED, "tcp_closed", 30},
    Timeout{MARCH_TIMEOUT_UDP_NEW, "udp_new", 30},
    Timeout{MARCH_TIMEOUT_UDP, "udp", 5 * 60},
    Timeout{MARCH_TIMEOUT_ICMP, "icmp", 30},
    Timeout{MARCH_TIMEOUT_OTHER, "other", 10 * 60},
    Timeout{MARCH_TIMEOUT_FRAGMENTS, "fragments", 60},
};
static_assert(kTimeouts.size() == MARCH_TIMEOUTS);

std::uint32_t Buckets(std::uint64_t flows) {
  return static_cast<std::uint32_t>((flows + MARCH_FLOW_LANES - 1) / MARCH_FLOW_LANES);
}

void ReadTimeouts(ConfigReader& reader, const YamlNode* map, march_flow_config& flows) {
  if (map != nullptr && !reader.IsMap(*map, "timeouts")) return;
  std::vector<std::string_view> keys;
  for (const Timeout& timeout : kTimeouts) {
    keys.push_back(timeout.key);
    const YamlNode* node = map != nullptr ? ConfigReader::Find(*map, timeout.key) : nullptr;
    std::uint64_t seconds = timeout.seconds;
    if (node != nullptr) reader.Seconds(*node, std::string(timeout.key), 1, 10 * kDay, seconds);
    flows.timeouts[timeout.which] = static_cast<std::uint32_t>(MARCH_TICKS(seconds));
  }
  if (map != nullptr) reader.CheckKeys(*map, keys);
}

}  // namespace

march_flow_config ReadConnections(ConfigReader& reader, const YamlNode* section) {
  march_flow_config flows{};
  std::uint64_t established = kEstablished;
  std::uint64_t fresh = kNew;
  const YamlNode* timeouts = nullptr;
  if (section != nullptr && reader.IsMap(*section, "connections")) {
    reader.CheckKeys(*section, {"established", "new", "timeouts"});
    if (const YamlNode* node = ConfigReader::Find(*section, "established")) {
      reader.Number(*node, "established", 0, kMostFlows, established);
    }
    if (const YamlNode* node = ConfigReader::Find(*section, "new")) {
      reader.Number(*node, "new", 1, kMostFlows, fresh);
    }
    timeouts = ConfigReader::Find(*section, "timeouts");
  }
  ReadTimeouts(reader, timeouts, flows);
  if (established == 0) return {};
  flows.established = Buckets(established);
  flows.fresh = Buckets(fresh);
  return flows;
}

}  // namespace march::daemon
