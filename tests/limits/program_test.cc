// Limits through the generated program in the kernel: which packets pass, which are marked, and
// where they count.
#include <catch2/catch.hpp>
#include <string>
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

// A mapping from clients to servers. Rates of one a second: nothing comes back while a test runs.
std::string Mapping(const std::string& rest) {
  return kHead + "  web: { from: [clients], to: [servers], " + rest + " }\n";
}

constexpr Gateway::Sizes kWithLimits = {.established = 1024, .fresh = 1024, .limit_lines = 64};
constexpr Gateway::Sizes kNoFlows = {.established = 0, .fresh = 0, .limit_lines = 64};

struct Family {
  std::string there;
  std::string back;
  std::string other;  // source
};
const std::vector<Family>& Families() {
  static const std::vector<Family> families = {
      {"udp 10.1.0.5:40000 > 10.2.0.10:80", "udp 10.2.0.10:80 > 10.1.0.5:40000",
       "udp 10.1.0.6:40000 > 10.2.0.10:80"},
      {"udp [2001:db8:1::5]:40000 > [2001:db8:2::10]:80",
       "udp [2001:db8:2::10]:80 > [2001:db8:1::5]:40000",
       "udp [2001:db8:1:1::5]:40000 > [2001:db8:2::10]:80"}};
  return families;
}

int Passing(Gateway& gateway, const Packet& packet, int count) {
  int passing = 0;
  for (int i = 0; i < count; ++i) passing += gateway.Passes(packet) ? 1 : 0;
  return passing;
}

TEST_CASE("packets above a limit drop, and count for it alone") {
  for (const auto& sizes : {kWithLimits, kNoFlows}) {
    for (const Family& family : Families()) {
      Gateway gateway(sizes);
      gateway.Enforce(Mapping("limit: { packets: 1, burst: 5 }"));
      CHECK(Passing(gateway, Packet(family.there), 20) == 5);
      CHECK(gateway.Counted("web") == 5);
      CHECK(gateway.Counted("limit") == 15);
      CHECK(gateway.AboveLimit("web") == 15);
    }
  }
}

TEST_CASE("replies are none of the limit, whatever it has left") {
  for (const Family& family : Families()) {
    Gateway gateway(kWithLimits);
    gateway.Enforce(Mapping("limit: { packets: 1, burst: 5 }"));
    CHECK(Passing(gateway, Packet(family.there), 10) == 5);
    CHECK(Passing(gateway, Packet(family.back), 50) == 50);
    CHECK(Passing(gateway, Packet(family.there), 10) == 0);
    CHECK(gateway.Counted("limit") == 15);
  }
}

TEST_CASE("each source has a limit of its own") {
  for (const Family& family : Families()) {
    Gateway gateway(kWithLimits);
    gateway.Enforce(Mapping("limit: { packets: 1, burst: 5, per: source }"));
    CHECK(Passing(gateway, Packet(family.there), 10) == 5);
    CHECK(Passing(gateway, Packet(family.other), 10) == 5);
    CHECK(gateway.AboveLimit("web") == 10);
  }
}

TEST_CASE("bytes are those of the packet from its IP header on") {
  for (const Family& family : Families()) {
    Gateway gateway(kWithLimits);
    const Packet packet(family.there);
    const std::size_t bytes = packet.bytes().size() - 14;
    gateway.Enforce(Mapping("limit: { bytes: 1, burst: " + std::to_string(7 * bytes) + " }"));
    CHECK(Passing(gateway, packet, 20) == 7);
  }
}

TEST_CASE("new connections are limited, and known ones are not") {
  Gateway gateway(kWithLimits);
  gateway.Enforce(Mapping("protocols: [tcp], limit: { connections: 1, burst: 3, per: source }"));
  const auto from = [](int port) {
    return Packet("tcp 10.1.0.5:" + std::to_string(port) + " > 10.2.0.10:80").Flags("S");
  };
  for (int port = 1; port <= 3; ++port) CHECK(Passing(gateway, from(port), 10) == 10);
  for (int port = 4; port <= 9; ++port) CHECK(Passing(gateway, from(port), 2) == 0);
  CHECK(gateway.AboveLimit("web") == 12);
  CHECK(gateway.Fresh() == 3);
  CHECK(Passing(gateway, from(2), 10) == 10);
}

TEST_CASE("where no connections are kept, those of TCP are known by their first packet") {
  Gateway gateway(kNoFlows);
  gateway.Enforce(Mapping("limit: { connections: 1, burst: 3 }"));
  CHECK(Passing(gateway, Packet("tcp 10.1.0.5:1 > 10.2.0.10:80").Flags("S"), 10) == 3);
  CHECK(Passing(gateway, Packet("tcp 10.1.0.5:1 > 10.2.0.10:80").Flags("A"), 10) == 10);
  CHECK(Passing(gateway, Packet("udp 10.1.0.5:1 > 10.2.0.10:80"), 10) == 10);
}

TEST_CASE("above a limit that marks, packets pass with the code point of lower effort") {
  for (const Family& family : Families()) {
    Gateway gateway(kWithLimits);
    gateway.Enforce(Mapping("limit: { packets: 1, burst: 2, exceed: mark }"));
    const Packet packet(family.there);
    const bool is_v4 = packet.bytes().at(12) == 0x08;
    CHECK(gateway.Sent(packet) == packet.bytes());
    CHECK(gateway.Sent(packet) == packet.bytes());
    const std::vector<std::uint8_t> marked = gateway.Sent(packet);
    REQUIRE(marked.size() == packet.bytes().size());
    CHECK(marked != packet.bytes());
    CHECK((is_v4 ? marked.at(15) >> 2 : (marked.at(14) & 15) << 2 | marked.at(15) >> 6) == 1);
    // The kernel's own sum over the header.
    std::uint32_t sum = 0;
    for (std::size_t at = 14; at < 34; at += 2) {
      sum += static_cast<std::uint32_t>(marked.at(at) << 8 | marked.at(at + 1));
    }
    if (is_v4) CHECK((sum & 0xffff) + (sum >> 16) == 0xffff);
    CHECK(Passing(gateway, packet, 5) == 5);
    CHECK(gateway.Counted("web") == 8);
    CHECK(gateway.Counted("limit") == 0);
    CHECK(gateway.AboveLimit("web") == 6);
  }
}

TEST_CASE("another policy finds what an unchanged limit has used, and a changed one full") {
  Gateway gateway(kWithLimits);
  const Packet packet(Families()[0].there);
  const std::string limit = "limit: { packets: 1, burst: 5 }";
  gateway.Enforce(Mapping(limit));
  CHECK(Passing(gateway, packet, 3) == 3);
  gateway.Enforce(Mapping(limit) + "  more: { priority: 5, protocols: [icmp] }\n");
  // Compiling may take a second, in which one more comes.
  const int passing = Passing(gateway, packet, 10);
  CHECK(passing >= 2);
  CHECK(passing <= 4);
  CHECK(gateway.AboveLimit("web") == static_cast<std::uint64_t>(10 - passing));
  gateway.Enforce(Mapping("limit: { packets: 1, burst: 6 }"));
  CHECK(Passing(gateway, packet, 10) == 6);
}

TEST_CASE("mappings without a limit, and gateways without buckets, limit nothing") {
  Gateway gateway(kWithLimits);
  gateway.Enforce(Mapping("ports: [80]") + "  dns: { ports: [53], limit: { packets: 1 } }\n");
  CHECK(Passing(gateway, Packet("udp 10.1.0.5:1 > 10.2.0.10:80"), 10) == 10);
  CHECK(Passing(gateway, Packet("udp 10.1.0.5:1 > 10.2.0.10:53"), 10) == 1);
  Gateway none(Gateway::Sizes{});
  none.Enforce(Mapping("limit: { packets: 1 }"));
  CHECK(Passing(none, Packet(Families()[0].there), 10) == 10);
}

TEST_CASE("a mapping that is not stateful opens no connection, and closes it when it becomes so") {
  for (const Family& family : Families()) {
    Gateway gateway(kWithLimits);
    // Of what has no state at all, the program would know of no connections.
    const std::string other = "  icmp: { protocols: [icmp, icmpv6], priority: 1 }\n";
    gateway.Enforce(Mapping("stateful: false") + other);
    CHECK(gateway.Passes(Packet(family.there)));
    CHECK_FALSE(gateway.Passes(Packet(family.back)));
    CHECK(gateway.Fresh() == 0);
    gateway.Enforce(Mapping("stateful: true") + other);
    CHECK(gateway.Passes(Packet(family.there)));
    CHECK(gateway.Passes(Packet(family.back)));
    CHECK(gateway.Fresh() == 1);
    gateway.Enforce(Mapping("stateful: false") + other);
    CHECK(gateway.Passes(Packet(family.there)));
    CHECK(gateway.Fresh() + gateway.Established() == 0);
    CHECK_FALSE(gateway.Passes(Packet(family.back)));
  }
}

TEST_CASE("what no mapping matches is stateful or not as the defaults say") {
  Gateway gateway(kWithLimits);
  const std::string policy = "apiVersion: march/v1\nkind: Policy\n";
  gateway.Enforce(policy + "defaults: { action: allow }\n");
  CHECK(gateway.Passes(Packet(Families()[0].there)));
  CHECK(gateway.Fresh() == 1);
  Gateway other(kWithLimits);
  other.Enforce(policy + "defaults: { action: allow, stateful: false }\n");
  CHECK(other.Passes(Packet(Families()[0].there)));
  CHECK(other.Fresh() == 0);
}

}  // namespace
}  // namespace march::tests
