#include "tests/soak/timeouts.h"

namespace march::soak {
namespace {

// So many that none has to make room for another: the model knows no such thing. Packets that come
// while policies change open many, and two of a table's places may be what a flow has to choose
// from.
constexpr std::uint32_t kRoomForNew = 262144;

struct Timeout {
  march_timeout which;
  const char* name;
  std::uint64_t seconds;
};

constexpr Timeout kTimeouts[] = {
    {MARCH_TIMEOUT_TCP_OPENING, "tcp_opening", 4},
    {MARCH_TIMEOUT_TCP_ESTABLISHED, "tcp_established", kLongestTimeout},
    {MARCH_TIMEOUT_TCP_CLOSING, "tcp_closing", 5},
    {MARCH_TIMEOUT_TCP_CLOSED, "tcp_closed", 3},
    {MARCH_TIMEOUT_UDP_NEW, "udp_new", 3},
    {MARCH_TIMEOUT_UDP, "udp", 5},
    {MARCH_TIMEOUT_ICMP, "icmp", 4},
};

}  // namespace

std::string ConnectionsText() {
  std::string text = "connections: { new: " + std::to_string(kRoomForNew) + ", timeouts: {";
  const char* separator = " ";
  for (const Timeout& timeout : kTimeouts) {
    text += separator + std::string(timeout.name) + ": " + std::to_string(timeout.seconds) + "s";
    separator = ", ";
  }
  return text + " } }";
}

march_config ModelConfig() {
  march_config config{};
  for (const Timeout& timeout : kTimeouts) {
    config.flows.timeouts[timeout.which] = static_cast<std::uint32_t>(MARCH_TICKS(timeout.seconds));
  }
  return config;
}

}  // namespace march::soak
