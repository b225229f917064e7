// Connections through the generated program in the kernel: what passes, what does not, and which
// table a flow is in.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

const std::string kHead = R"(apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
)";
const std::string kWeb =
    "  web: { from: [clients], to: [servers], protocols: [tcp], ports: [80] }\n";
const std::string kDns =
    "  dns: { from: [clients], to: [servers], protocols: [udp], ports: [53] }\n";
const std::string kPing =
    "  ping: { from: [clients], to: [servers], protocols: [icmp, icmpv6], "
    "icmp_types: [echo-request] }\n";
const std::string kPolicy = kHead + kWeb + kDns;

// Both ends of a flow of TCP, in both families.
struct Ends {
  std::string there;
  std::string back;
};
const std::vector<Ends>& WebEnds() {
  static const std::vector<Ends> ends = {
      {"tcp 10.1.0.5:40000 > 10.2.0.10:80", "tcp 10.2.0.10:80 > 10.1.0.5:40000"},
      {"tcp [2001:db8:1::5]:40000 > [2001:db8:2::10]:80",
       "tcp [2001:db8:2::10]:80 > [2001:db8:1::5]:40000"}};
  return ends;
}

void ShakeHands(Gateway& gateway, const Ends& ends) {
  REQUIRE(gateway.Passes(Packet(ends.there).Flags("S").Sequence(1000)));
  REQUIRE(gateway.Passes(Packet(ends.back).Flags("SA").Sequence(5000).Acknowledge(1001)));
  REQUIRE(gateway.Passes(Packet(ends.there).Flags("A").Sequence(1001).Acknowledge(5001)));
}

TEST_CASE("replies pass without a mapping of their own, once their flow was allowed") {
  for (const Ends& ends : WebEnds()) {
    Gateway gateway;
    gateway.Enforce(kPolicy);
    INFO(ends.there);
    CHECK_FALSE(gateway.Passes(Packet(ends.back).Flags("SA")));
    CHECK(gateway.Counted("default") == 1);
    ShakeHands(gateway, ends);
    CHECK(gateway.Established() == 1);
    CHECK(gateway.Fresh() == 0);
    CHECK(gateway.Passes(Packet(ends.back).Flags("PA")));
    CHECK(gateway.Passes(Packet(ends.there).Flags("PA")));
    CHECK(gateway.Counted("web") == 5);
    CHECK(gateway.Counted("default") == 1);
  }
}

TEST_CASE("a handshake that nobody completes stays among new flows") {
  for (const Ends& ends : WebEnds()) {
    Gateway gateway;
    gateway.Enforce(kPolicy);
    REQUIRE(gateway.Passes(Packet(ends.there).Flags("S").Sequence(1000)));
    REQUIRE(gateway.Passes(Packet(ends.back).Flags("SA").Sequence(5000).Acknowledge(1001)));
    // Who cannot see the answer guesses what to acknowledge.
    REQUIRE(gateway.Passes(Packet(ends.there).Flags("A").Acknowledge(77)));
    REQUIRE(gateway.Passes(Packet(ends.there).Flags("PA").Acknowledge(5000 - 1)));
    CHECK(gateway.Established() == 0);
    CHECK(gateway.Fresh() == 1);
    REQUIRE(gateway.Passes(Packet(ends.there).Flags("A").Acknowledge(5001)));
    CHECK(gateway.Established() == 1);
    CHECK(gateway.Fresh() == 0);
  }
}

TEST_CASE("a flow of UDP is established when its opener goes on after an answer") {
  Gateway gateway;
  gateway.Enforce(kPolicy);
  const Packet query("udp 10.1.0.5:5353 > 10.2.0.10:53");
  const Packet answer("udp 10.2.0.10:53 > 10.1.0.5:5353");
  CHECK_FALSE(gateway.Passes(answer));
  CHECK(gateway.Passes(query));
  CHECK(gateway.Passes(query));
  CHECK(gateway.Fresh() == 1);
  CHECK(gateway.Passes(answer));
  CHECK(gateway.Established() == 0);
  CHECK(gateway.Passes(query));
  CHECK(gateway.Established() == 1);
  CHECK_FALSE(gateway.Passes(Packet("udp 10.2.0.10:53 > 10.1.0.5:5354")));
  CHECK_FALSE(gateway.Passes(Packet("udp 10.2.0.11:53 > 10.1.0.5:5353")));
  CHECK_FALSE(gateway.Passes(Packet("tcp 10.2.0.10:53 > 10.1.0.5:5353").Flags("A")));
}

TEST_CASE("only the answer to an allowed echo request passes") {
  for (const auto& [there, back, type] :
       {std::tuple("icmp 10.1.0.5 > 10.2.0.10 type 8", "icmp 10.2.0.10 > 10.1.0.5 type 0", 4),
        std::tuple("icmpv6 2001:db8:1::5 > 2001:db8:2::10 type 128",
                   "icmpv6 2001:db8:2::10 > 2001:db8:1::5 type 129", 6)}) {
    Gateway gateway;
    gateway.Enforce(kHead + kPing);
    INFO(there << " " << type);
    CHECK_FALSE(gateway.Passes(Packet(back).Identifier(7)));
    CHECK(gateway.Passes(Packet(there).Identifier(7)));
    CHECK_FALSE(gateway.Passes(Packet(back).Identifier(8)));
    CHECK(gateway.Passes(Packet(back).Identifier(7)));
  }
  Gateway gateway;
  gateway.Enforce(kHead + kPing);
  CHECK(gateway.Passes(Packet("icmp 10.1.0.5 > 10.2.0.10 type 8").Identifier(7)));
  CHECK_FALSE(gateway.Passes(Packet("icmp 10.2.0.10 > 10.1.0.5 type 8").Identifier(7)));
  CHECK_FALSE(gateway.Passes(Packet("icmp 10.1.0.5 > 10.2.0.10 type 0").Identifier(7)));
}

TEST_CASE("errors of ICMP pass with the flow that they are about, and only to its sender") {
  const Packet there("udp 10.1.0.5:5353 > 10.2.0.10:53");
  const Packet back("udp 10.2.0.10:53 > 10.1.0.5:5353");
  Gateway gateway;
  gateway.Enforce(kPolicy);
  // A router on the way to the servers says that the packet is too large.
  const auto error = [&] { return Packet("icmp 10.9.9.9 > 10.1.0.5 type 3/4").Quote(there); };
  CHECK_FALSE(gateway.Passes(error()));
  CHECK(gateway.Passes(there));
  CHECK(gateway.Passes(error()));
  CHECK(gateway.Counted("dns") == 2);
  CHECK_FALSE(gateway.Passes(Packet("icmp 10.9.9.9 > 10.1.0.6 type 3/4").Quote(there)));
  CHECK_FALSE(gateway.Passes(Packet("icmp 10.9.9.9 > 10.1.0.5 type 5/1").Quote(there)));
  CHECK_FALSE(gateway.Passes(Packet("icmp 10.9.9.9 > 10.1.0.5 type 3/4").Quote(there, 20)));
  // One about a reply goes to the server.
  CHECK(gateway.Passes(Packet("icmp 10.9.9.9 > 10.2.0.10 type 11/0").Quote(back)));
  CHECK(gateway.Statistic(MARCH_STATISTIC_RELATED) == 2);

  const Packet there6("udp [2001:db8:1::5]:5353 > [2001:db8:2::10]:53");
  const auto error6 = [&] {
    return Packet("icmpv6 2001:db8:9::9 > 2001:db8:1::5 type 2").Quote(there6);
  };
  CHECK_FALSE(gateway.Passes(error6()));
  CHECK(gateway.Passes(there6));
  CHECK(gateway.Passes(error6()));
}

TEST_CASE("a later policy that forbids a flow cuts it, in both directions") {
  for (const bool reply_first : {false, true}) {
    for (const Ends& ends : WebEnds()) {
      Gateway gateway;
      gateway.Enforce(kPolicy);
      ShakeHands(gateway, ends);
      // One that does not concern it.
      gateway.Enforce(kPolicy + kPing);
      CHECK(gateway.Passes(Packet(ends.back).Flags("PA")));
      CHECK(gateway.Passes(Packet(ends.there).Flags("PA")));
      CHECK(gateway.Established() == 1);
      gateway.Enforce(kHead + kDns);
      CHECK_FALSE(gateway.Passes(Packet(reply_first ? ends.back : ends.there).Flags("PA")));
      CHECK_FALSE(gateway.Passes(Packet(reply_first ? ends.there : ends.back).Flags("PA")));
      CHECK(gateway.Established() == 0);
      CHECK(gateway.Statistic(MARCH_STATISTIC_FLOWS_CUT) == 1);
      CHECK(gateway.Counted("default") == 2);
    }
  }
}

TEST_CASE("a connection that has ended can be opened again, and one that lives cannot") {
  for (const Ends& ends : WebEnds()) {
    Gateway gateway;
    gateway.Enforce(kPolicy);
    ShakeHands(gateway, ends);
    CHECK(gateway.Passes(Packet(ends.there).Flags("S").Sequence(9)));
    CHECK(gateway.Established() == 1);
    CHECK(gateway.Passes(Packet(ends.there).Flags("FA")));
    CHECK(gateway.Passes(Packet(ends.back).Flags("FA")));
    CHECK(gateway.Passes(Packet(ends.there).Flags("A")));
    ShakeHands(gateway, ends);
    CHECK(gateway.Established() == 1);
    CHECK(gateway.Passes(Packet(ends.back).Flags("R")));
    ShakeHands(gateway, ends);
    CHECK(gateway.Statistic(MARCH_STATISTIC_FLOWS_OPENED) == 3);
  }
}

TEST_CASE("a flow ends when nothing comes for as long as its state allows") {
  Gateway gateway;
  gateway.SetTimeout(MARCH_TIMEOUT_UDP_NEW, 2);
  gateway.Enforce(kPolicy);
  const Packet answer("udp 10.2.0.10:53 > 10.1.0.5:5353");
  CHECK(gateway.Passes(Packet("udp 10.1.0.5:5353 > 10.2.0.10:53")));
  CHECK(gateway.Passes(answer));
  bool passes = true;
  for (int i = 0; i < 40 && passes; ++i) {
    usleep(900'000);
    passes = gateway.Passes(answer);
  }
  CHECK_FALSE(passes);
  CHECK(gateway.Fresh() == 0);
}

TEST_CASE("fragments pass with the first of them") {
  for (const auto& [there, back] :
       {std::pair("udp 10.1.0.5:5353 > 10.2.0.10:53", "udp 10.2.0.10:53 > 10.1.0.5:5353"),
        std::pair("udp [2001:db8:1::5]:5353 > [2001:db8:2::10]:53",
                  "udp [2001:db8:2::10]:53 > [2001:db8:1::5]:5353")}) {
    Gateway gateway;
    gateway.Enforce(kPolicy);
    INFO(back);
    CHECK(gateway.Passes(Packet(there)));
    CHECK_FALSE(gateway.Passes(Packet(back).Fragment(77, 10, false)));
    CHECK(gateway.Passes(Packet(back).Fragment(77, 0, true)));
    CHECK(gateway.Passes(Packet(back).Fragment(77, 10, true)));
    CHECK(gateway.Passes(Packet(back).Fragment(77, 20, false)));
    CHECK_FALSE(gateway.Passes(Packet(back).Fragment(78, 10, false)));
  }
}

TEST_CASE("a flood of new flows evicts no established one") {
  Gateway gateway({.established = 64, .fresh = 64});
  gateway.Enforce(kPolicy);
  ShakeHands(gateway, WebEnds()[0]);
  for (int i = 0; i < 20000; ++i) {
    const std::string source = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    REQUIRE(gateway.Passes(Packet("tcp " + source + ":1000 > 10.2.0.10:80").Flags("S")));
  }
  CHECK(gateway.Fresh() <= 64);
  CHECK(gateway.Fresh() > 48);
  CHECK(gateway.Established() == 1);
  CHECK(gateway.Statistic(MARCH_STATISTIC_FLOWS_EVICTED) > 19000);
  CHECK(gateway.Passes(Packet(WebEnds()[0].back).Flags("PA")));
}

TEST_CASE("when there is no room among established flows, a flow stays new and passes") {
  Gateway gateway({.established = 16, .fresh = 4096});
  gateway.Enforce(kPolicy);
  for (int i = 0; i < 200; ++i) {
    const std::string port = std::to_string(1000 + i);
    ShakeHands(gateway,
               {"tcp 10.1.0.5:" + port + " > 10.2.0.10:80", "tcp 10.2.0.10:80 > 10.1.0.5:" + port});
  }
  CHECK(gateway.Established() == 16);
  CHECK(gateway.Established() + gateway.Fresh() == 200);
  CHECK(gateway.Statistic(MARCH_STATISTIC_FLOWS_NO_ROOM) >= 184);
  for (int i = 0; i < 200; ++i) {
    const std::string port = std::to_string(1000 + i);
    CHECK(gateway.Passes(Packet("tcp 10.2.0.10:80 > 10.1.0.5:" + port).Flags("PA")));
  }
}

}  // namespace
}  // namespace march::tests
