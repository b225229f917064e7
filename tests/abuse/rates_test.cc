// What one source may send a second, through the generated program in the kernel. Rates are so low
// that nothing comes back while a test runs.
#include <catch2/catch.hpp>
#include <string>

#include "bundle/limit.h"
#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

constexpr Gateway::Sizes kSizes = {.limit_lines = 256};

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
services: { servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] } }
mappings:
  web: { to: [servers], protocols: [tcp], ports: [80] }
  dns: { to: [servers], protocols: [udp], ports: [53] }
  ping: { to: [servers], protocols: [icmp, icmpv6], icmp_types: [echo-request] }
)";

march_config Limiting(march_rate which, std::uint64_t burst) {
  march_config config{};
  march_limit& limit = config.abuse.rates[which];
  limit.rate = 1;
  limit.burst = burst;
  limit.per = MARCH_LIMIT_PER_SOURCE;
  limit.prefix_v4 = 24;
  limit.prefix_v6 = 64;
  bundle::CompleteLimit("abuse test", limit);
  return config;
}

std::string V4(int source, int port) {
  return "10.1." + std::to_string(source) + "." + std::to_string(port % 200) + ":" +
         std::to_string(1000 + port);
}
std::string V6(int source, int port) {
  return "[2001:db8:1:" + std::to_string(source) + "::" + std::to_string(port % 200 + 1) +
         "]:" + std::to_string(1000 + port);
}

Packet Syn(const std::string& source, const std::string& server) {
  return Packet("tcp " + source + " > " + server + ":80").Flags("S");
}

// Seconds may pass while it runs: so many may pass beside the burst.
constexpr int kSlack = 3;

TEST_CASE("beginnings of connections from one source") {
  Gateway gateway(kSizes, Limiting(MARCH_RATE_SYN, 20));
  gateway.Enforce(kPolicy);
  for (const bool is_v6 : {false, true}) {
    const std::string server = is_v6 ? "[2001:db8:2::10]" : "10.2.0.10";
    int passed = 0;
    for (int i = 0; i < 60; ++i) {
      passed += gateway.Passes(Syn(is_v6 ? V6(1, i) : V4(1, i), server)) ? 1 : 0;
    }
    CHECK(passed >= 20);
    CHECK(passed <= 20 + kSlack);
    // Neither another source, nor anything but a SYN, nor one that is answered.
    CHECK(gateway.Passes(Syn(is_v6 ? V6(2, 1) : V4(2, 1), server)));
    const std::string first = is_v6 ? V6(1, 0) : V4(1, 0);
    CHECK(gateway.Passes(Packet("tcp " + first + " > " + server + ":80").Flags("A")));
    CHECK(gateway.Passes(Packet("udp " + first + " > " + server + ":53")));
  }
  CHECK(gateway.Counted("syn-rate") >= 2 * (40 - kSlack));
  CHECK(gateway.Counted("syn-rate") <= 80);
}

TEST_CASE("new connections from one source, of which those that live go on") {
  Gateway gateway(kSizes, Limiting(MARCH_RATE_FLOWS, 20));
  gateway.Enforce(kPolicy);
  int passed = 0;
  for (int i = 0; i < 60; ++i) {
    passed += gateway.Passes(Packet("udp " + V4(1, i) + " > 10.2.0.10:53")) ? 1 : 0;
  }
  CHECK(passed >= 20);
  CHECK(passed <= 20 + kSlack);
  CHECK(gateway.Fresh() == static_cast<std::uint64_t>(passed));
  for (int i = 0; i < 20; ++i) {
    CHECK(gateway.Passes(Packet("udp " + V4(1, i) + " > 10.2.0.10:53")));
    CHECK(gateway.Passes(Packet("udp 10.2.0.10:53 > " + V4(1, i))));
  }
  // What the policy denies takes nothing.
  for (int i = 0; i < 60; ++i) {
    CHECK_FALSE(gateway.Passes(Packet("udp " + V4(2, i) + " > 10.2.0.10:54")));
  }
  CHECK(gateway.Passes(Packet("udp " + V4(2, 1) + " > 10.2.0.10:53")));
  CHECK(gateway.Counted("flow-rate") == static_cast<std::uint64_t>(60 - passed));
}

TEST_CASE("ICMP from one source") {
  Gateway gateway(kSizes, Limiting(MARCH_RATE_ICMP, 20));
  gateway.Enforce(kPolicy);
  for (const char* flow :
       {"icmp 10.1.1.5 > 10.2.0.10 type 8", "icmpv6 2001:db8:1::5 > 2001:db8:2::10 type 128"}) {
    int passed = 0;
    for (int i = 0; i < 60; ++i) passed += gateway.Passes(Packet(flow).Identifier(7)) ? 1 : 0;
    CHECK(passed >= 20);
    CHECK(passed <= 20 + kSlack);
  }
  // Answers are their sender's.
  CHECK(gateway.Passes(Packet("icmp 10.2.0.10 > 10.1.1.5 type 0").Identifier(7)));
  CHECK(gateway.Passes(Packet("udp 10.1.1.5:1 > 10.2.0.10:53")));
  CHECK(gateway.Counted("icmp-rate") >= 2 * (40 - kSlack));
}

TEST_CASE("a packet that nobody sends takes nothing of a rate") {
  march_config config = Limiting(MARCH_RATE_SYN, 5);
  config.abuse.screens = MARCH_SCREEN_LAND;
  Gateway gateway(kSizes, config);
  gateway.Enforce(kPolicy);
  for (int i = 0; i < 60; ++i) {
    CHECK_FALSE(gateway.Passes(Packet("tcp 10.2.0.10:1 > 10.2.0.10:80").Flags("S")));
  }
  CHECK(gateway.Counted("land") == 60);
  CHECK(gateway.Counted("syn-rate") == 0);
}

}  // namespace
}  // namespace march::tests
