// What a gateway drops whatever its policy says, through the generated program in the kernel.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bundle/abi/abuse.h"
#include "bundle/abi/block.h"
#include "runtime/block/own_addresses.h"
#include "runtime/block/table.h"
#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

const std::string kAnything = R"(apiVersion: march/v1
kind: Policy
defaults: { action: allow }
mappings:
  ssh: { protocols: [tcp], ports: [22] }
)";

// Without connections, every packet is judged by itself.
constexpr Gateway::Sizes kNoFlows = {.established = 0, .fresh = 0};

march_config Screening(std::uint32_t screens) {
  march_config config{};
  config.abuse.screens = screens;
  return config;
}

march_config Blocking(std::uint32_t prefixes) {
  march_config config{};
  config.abuse.blocks = prefixes;
  return config;
}

std::vector<block::Prefix> Prefixes(const std::vector<std::string>& texts) {
  std::vector<block::Prefix> prefixes;
  for (const std::string& text : texts) {
    const auto prefix = block::ParsePrefix(text);
    REQUIRE(prefix.ok());
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

block::LiveTable TableOf(Gateway& gateway, std::uint32_t capacity) {
  auto table = block::LiveTable::Open(gateway.state().Find("march_block_filter"),
                                      gateway.state().Find("march_blocks"), capacity);
  REQUIRE(table.ok());
  return std::move(table).value();
}

TEST_CASE("a source on the block list gets nothing through") {
  Gateway gateway(kNoFlows, Blocking(MARCH_BLOCK_LEAST));
  gateway.Enforce(kAnything);
  block::LiveTable table = TableOf(gateway, MARCH_BLOCK_LEAST);
  const std::vector<std::pair<std::string, bool>> flows = {
      {"tcp 10.1.0.5:40000 > 10.2.0.10:22", true},
      {"udp 10.1.0.255:40000 > 10.2.0.10:53", true},
      {"icmp 10.1.0.5 > 10.2.0.10 type 8", true},
      {"tcp 10.1.1.5:40000 > 10.2.0.10:22", false},
      {"tcp 10.2.0.10:22 > 10.1.0.5:40000", false},  // it is sources that are blocked
      {"tcp 172.16.99.1:40000 > 10.2.0.10:22", true},
      {"tcp 172.15.99.1:40000 > 10.2.0.10:22", false},
      {"tcp 192.0.2.129:1 > 10.2.0.10:22", true},
      {"tcp 192.0.2.130:1 > 10.2.0.10:22", false},
      {"tcp 192.0.2.131:1 > 10.2.0.10:22", true},
      {"tcp [2001:db8:1::5]:40000 > [2001:db8:2::10]:22", true},
      {"tcp [2001:db8:2::5]:40000 > [2001:db8:2::10]:22", false},
      {"tcp [2001:db8:3::7]:40000 > [2001:db8:2::10]:22", true},
      {"tcp [2001:db8:3::8]:40000 > [2001:db8:2::10]:22", false},
      {"icmpv6 2400::1 > 2001:db8:2::10 type 128", true},
      {"icmpv6 2500::1 > 2001:db8:2::10 type 128", false}};
  for (const auto& [flow, blocked] : flows) CHECK(gateway.Passes(Packet(flow)));
  table.Publish(Prefixes({"10.1.0.0/24", "172.16.0.0/12", "192.0.2.129", "192.0.2.131",
                          "2001:db8:1::/48", "2001:db8:3::7", "2400::/17"}));
  std::uint64_t dropped = 0;
  for (const auto& [flow, blocked] : flows) {
    INFO(flow);
    CHECK(gateway.Passes(Packet(flow)) == !blocked);
    dropped += static_cast<std::uint64_t>(blocked);
  }
  CHECK(gateway.Counted("blocked") == dropped);
  CHECK_FALSE(gateway.Passes(Packet("udp 10.1.0.5:1 > 10.2.0.10:53").Fragment(7, 10, true)));
  table.Publish({});
  for (const auto& [flow, blocked] : flows) CHECK(gateway.Passes(Packet(flow)));
}

TEST_CASE("each half of the table is written while the other is in force") {
  Gateway gateway(kNoFlows, Blocking(MARCH_BLOCK_LEAST));
  gateway.Enforce(kAnything);
  block::LiveTable table = TableOf(gateway, MARCH_BLOCK_LEAST);
  for (int i = 0; i < 5; ++i) {
    const std::string source = "10.1." + std::to_string(i) + ".7";
    table.Publish(Prefixes({source}));
    for (int j = 0; j < 5; ++j) {
      const Packet packet("udp 10.1." + std::to_string(j) + ".7:1 > 10.2.0.10:53");
      CHECK(gateway.Passes(packet) == (i != j));
    }
  }
}

TEST_CASE("a blocked source's established connections end, and its server's replies too") {
  Gateway gateway({}, Blocking(MARCH_BLOCK_LEAST));
  gateway.Enforce(R"(apiVersion: march/v1
kind: Policy
services: { clients: { addresses: [10.1.0.0/16] } }
mappings: { web: { from: [clients], protocols: [tcp], ports: [80] } }
)");
  block::LiveTable table = TableOf(gateway, MARCH_BLOCK_LEAST);
  const Packet there = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:80").Flags("PA");
  const Packet back = Packet("tcp 10.2.0.10:80 > 10.1.0.5:40000").Flags("PA");
  CHECK(gateway.Passes(Packet("tcp 10.1.0.5:40000 > 10.2.0.10:80").Flags("S").Sequence(1)));
  CHECK(gateway.Passes(
      Packet("tcp 10.2.0.10:80 > 10.1.0.5:40000").Flags("SA").Sequence(5).Acknowledge(2)));
  CHECK(gateway.Passes(
      Packet("tcp 10.1.0.5:40000 > 10.2.0.10:80").Flags("A").Sequence(2).Acknowledge(6)));
  CHECK(gateway.Passes(there));
  CHECK(gateway.Passes(back));
  REQUIRE(gateway.Established() == 1);
  table.Publish(Prefixes({"10.1.0.5"}));
  CHECK_FALSE(gateway.Passes(there));
  CHECK(gateway.Passes(back));
  table.Publish({});
  CHECK(gateway.Passes(there));
  CHECK(gateway.Counted("blocked") == 1);
}

TEST_CASE("packets that nobody sends are dropped where the gateway is configured so") {
  struct Case {
    std::uint32_t screen;
    std::string counted;
    std::vector<Packet> dropped;
    std::vector<Packet> passed;
  };
  const auto tcp = [](const std::string& flags) {
    return Packet("tcp 10.1.0.5:40000 > 10.2.0.10:22").Flags(flags);
  };
  const auto tcp6 = [](const std::string& flags) {
    return Packet("tcp [2001:db8:1::5]:40000 > [2001:db8:2::10]:22").Flags(flags);
  };
  const std::vector<Case> cases = {
      {MARCH_SCREEN_LAND,
       "land",
       {Packet("tcp 10.1.0.5:22 > 10.1.0.5:22"), Packet("udp 10.1.0.5:1 > 10.1.0.5:53"),
        Packet("tcp [2001:db8::1]:1 > [2001:db8::1]:22")},
       {Packet("tcp 10.1.0.5:22 > 10.1.0.6:22"), Packet("tcp [2001:db8::1]:1 > [2001:db8::2]:22")}},
      {MARCH_SCREEN_FLAGS,
       "flags",
       {tcp(""), tcp("F"), tcp("SF"), tcp("SR"), tcp("SFA"), tcp("RF"), tcp("FPA").Flags("FP"),
        tcp6(""), tcp6("SF"), tcp6("FSRPA"), tcp("SF").Fragment(7, 0, true)},
       {tcp("S"), tcp("SA"), tcp("A"), tcp("PA"), tcp("FA"), tcp("R"), tcp("RA"), tcp6("FPA"),
        Packet("udp 10.1.0.5:1 > 10.2.0.10:53"), tcp("SF").Fragment(7, 10, false)}},
      {MARCH_SCREEN_MARTIANS,
       "martian",
       {Packet("udp 127.0.0.1:1 > 10.2.0.10:53"), Packet("udp 0.0.0.0:68 > 10.2.0.10:67"),
        Packet("udp 224.0.0.5:1 > 10.2.0.10:53"), Packet("udp 255.255.255.255:1 > 10.2.0.10:53"),
        Packet("udp [::1]:1 > [2001:db8::1]:53"), Packet("udp [ff02::5]:1 > [2001:db8::1]:53"),
        Packet("udp [::ffff:10.0.0.1]:1 > [2001:db8::1]:53")},
       {Packet("udp 10.1.0.5:1 > 10.2.0.10:53"), Packet("udp 0.0.0.0:68 > 255.255.255.255:67"),
        Packet("udp 10.1.0.5:1 > 224.0.0.5:53"), Packet("udp [fe80::1]:1 > [ff02::5]:53")}},
  };
  for (const Case& one : cases) {
    Gateway gateway(kNoFlows, Screening(one.screen));
    gateway.Enforce(kAnything);
    for (std::size_t i = 0; i < one.dropped.size(); ++i) {
      INFO(one.counted << " " << i);
      CHECK_FALSE(gateway.Passes(one.dropped.at(i)));
    }
    for (std::size_t i = 0; i < one.passed.size(); ++i) {
      INFO(one.counted << " passed " << i);
      CHECK(gateway.Passes(one.passed.at(i)));
    }
    CHECK(gateway.Counted(one.counted) == one.dropped.size());
    // Without it, all of them pass.
    Gateway open(kNoFlows);
    open.Enforce(kAnything);
    for (const Packet& packet : one.dropped) CHECK(open.Passes(packet));
    CHECK(open.Counted(one.counted) == 0);
  }
}

TEST_CASE("what comes in from an address of the gateway's own is dropped") {
  Gateway gateway(kNoFlows, Screening(MARCH_SCREEN_SPOOFED));
  gateway.Enforce(kAnything);
  auto own = block::OwnAddresses::Open(gateway.state().Find("march_own_addresses"),
                                       gateway.state().config());
  REQUIRE(own.ok());
  const Packet v4("udp 10.1.0.1:1 > 10.2.0.10:53");
  const Packet v6("udp [2001:db8::1]:1 > [2001:db8:2::10]:53");
  CHECK(gateway.Passes(v4));
  CHECK(own->Set(Prefixes({"10.1.0.1", "2001:db8::1"})) == 0);
  CHECK_FALSE(gateway.Passes(v4));
  CHECK_FALSE(gateway.Passes(v6));
  CHECK(gateway.Passes(Packet("udp 10.1.0.2:1 > 10.1.0.1:53")));
  CHECK(gateway.Passes(Packet("udp [2001:db8::2]:1 > [2001:db8::1]:53")));
  CHECK(own->Set(Prefixes({"2001:db8::1"})) == 0);
  CHECK(gateway.Passes(v4));
  CHECK_FALSE(gateway.Passes(v6));
  CHECK(gateway.Counted("spoofed") == 3);
  // All of a gateway's addresses have room, and each is found.
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("10.9.0." + std::to_string(i));
  CHECK(own->Set(Prefixes(many)) == 0);
  for (const std::string& address : many) {
    CHECK_FALSE(gateway.Passes(Packet("udp " + address + ":1 > 10.2.0.10:53")));
  }
  CHECK(gateway.Passes(v6));
}

TEST_CASE("a packet counts once, for the first thing that is wrong with it") {
  march_config config = Screening(MARCH_SCREEN_LAND | MARCH_SCREEN_FLAGS | MARCH_SCREEN_MARTIANS |
                                  MARCH_SCREEN_SPOOFED);
  config.abuse.blocks = MARCH_BLOCK_LEAST;
  Gateway gateway(kNoFlows, config);
  gateway.Enforce(kAnything);
  TableOf(gateway, MARCH_BLOCK_LEAST).Publish(Prefixes({"127.0.0.0/8", "10.1.0.0/16"}));
  CHECK_FALSE(gateway.Passes(Packet("tcp 127.0.0.1:1 > 127.0.0.1:22").Flags("SF")));
  CHECK_FALSE(gateway.Passes(Packet("tcp 127.0.0.1:1 > 10.2.0.10:22").Flags("SF")));
  CHECK_FALSE(gateway.Passes(Packet("tcp 127.0.0.1:1 > 10.2.0.10:22").Flags("S")));
  CHECK_FALSE(gateway.Passes(Packet("tcp 10.1.0.5:1 > 10.2.0.10:22").Flags("S")));
  CHECK(gateway.Passes(Packet("tcp 10.3.0.5:1 > 10.2.0.10:22").Flags("S")));
  for (const char* slot : {"land", "flags", "martian", "blocked", "ssh"}) {
    INFO(slot);
    CHECK(gateway.Counted(slot) == 1);
  }
}

}  // namespace
}  // namespace march::tests
