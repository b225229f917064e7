// Events through the generated program in the kernel: what is told, and that the rest is counted.
#include <catch2/catch.hpp>
#include <ctime>
#include <string>
#include <vector>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
  intruder: { addresses: [10.1.6.6] }
mappings:
  web: { from: [clients], to: [servers], protocols: [tcp], ports: [80] }
  block: { from: [intruder], action: deny, priority: 1 }
)";
constexpr std::uint32_t kBlock = MARCH_SLOT_FIRST_MAPPING;  // it comes first in precedence
constexpr std::uint32_t kWeb = MARCH_SLOT_FIRST_MAPPING + 1;
constexpr std::uint32_t kLoopback = 1;

march_event_config Rates(std::uint64_t drops, std::uint64_t allows) {
  return {
      {drops == 0 ? 0 : MARCH_EVENT_BURST / drops, allows == 0 ? 0 : MARCH_EVENT_BURST / allows}};
}
const march_event_config kAll = {{1, 1}};  // as good as no limit

std::uint64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

march_event Only(Gateway& gateway) {
  const auto events = gateway.Events();
  REQUIRE(events.size() == 1);
  return events.front();
}

struct Counts {
  std::uint64_t told;
  std::uint64_t suppressed;
  std::uint64_t lost;
};
Counts CountsOf(Gateway& gateway, std::uint32_t kind) {
  const auto at = [&](std::uint32_t first) {
    return gateway.Statistic(static_cast<march_statistic>(first + kind));
  };
  return {at(MARCH_STATISTIC_EVENTS_TOLD), at(MARCH_STATISTIC_EVENTS_SUPPRESSED),
          at(MARCH_STATISTIC_EVENTS_LOST)};
}

TEST_CASE("a drop is told with all that was read of the packet") {
  Gateway gateway({}, kAll);
  gateway.Enforce(kPolicy);
  gateway.Enforce(kPolicy);
  const std::uint64_t before = Now();
  const Packet packet = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:25").Flags("SA");
  CHECK_FALSE(gateway.Passes(packet));
  march_event event = Only(gateway);
  CHECK(event.time >= before);
  CHECK(event.time <= Now());
  CHECK(event.untold == 0);
  CHECK(event.src_hi == 0);
  CHECK(event.src_lo == 0x0A010005);
  CHECK(event.dst_hi == 0);
  CHECK(event.dst_lo == 0x0A02000A);
  CHECK(event.l4 == MARCH_L4_KEY(6, 25));
  CHECK(event.source_port == 40000);
  CHECK(event.family == 4);
  CHECK(event.detail == 0x12);
  CHECK(event.generation == 2);
  CHECK(event.slot == MARCH_SLOT_DEFAULT);
  CHECK(event.action == MARCH_ACTION_DENY);
  CHECK(event.ifindex == kLoopback);
  CHECK(event.bytes == packet.bytes().size());

  CHECK_FALSE(gateway.Passes(Packet("udp [2001:db8:1::5]:53 > [2001:db8:9::10]:5353")));
  event = Only(gateway);
  CHECK(event.src_hi == 0x20010DB800010000);
  CHECK(event.src_lo == 5);
  CHECK(event.dst_hi == 0x20010DB800090000);
  CHECK(event.dst_lo == 0x10);
  CHECK(event.l4 == MARCH_L4_KEY(17, 5353));
  CHECK(event.source_port == 53);
  CHECK(event.family == 6);
  CHECK(event.detail == 0);

  CHECK_FALSE(gateway.Passes(Packet("icmp 10.1.0.5 > 10.2.0.10 type 8").Identifier(77)));
  event = Only(gateway);
  CHECK(event.l4 == MARCH_L4_KEY(1, MARCH_ICMP_PORT(8, 0)));
  CHECK(event.detail == 77);

  CHECK_FALSE(gateway.Passes(Packet("udp 10.1.0.5:9 > 10.2.0.10:9").Fragment(7, 10, false)));
  event = Only(gateway);
  CHECK(event.l4 == (MARCH_L4_FRAGMENT | MARCH_L4_KEY(17, 0)));

  CHECK_FALSE(gateway.Passes(Packet("tcp 10.1.6.6:40000 > 10.2.0.10:80").Flags("S")));
  CHECK(Only(gateway).slot == kBlock);
}

TEST_CASE("a packet that could not be read is told with what was read") {
  Gateway gateway({}, kAll);
  gateway.Enforce(kPolicy);
  std::vector<std::uint8_t> frame(60);
  frame.at(12) = 0x12;
  CHECK_FALSE(gateway.Passes(frame));
  march_event event = Only(gateway);
  CHECK(event.slot == MARCH_SLOT_NOT_IP);
  CHECK(event.family == 0);
  CHECK(event.l4 == 0);
  CHECK(event.bytes == 60);

  frame = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:80").bytes();
  frame.at(14 + 20 + 12) = 0x10;  // a header of four bytes
  CHECK_FALSE(gateway.Passes(frame));
  event = Only(gateway);
  CHECK(event.slot == MARCH_SLOT_MALFORMED);
  CHECK(event.family == 4);
  CHECK(event.src_lo == 0x0A010005);
  CHECK(event.l4 == 0);

  // Passed unjudged, and so no event.
  frame.assign(60, 0);
  frame.at(12) = 0x08;
  frame.at(13) = 0x06;
  CHECK(gateway.Passes(frame));
  CHECK(gateway.Events().empty());
}

TEST_CASE("of what is allowed, the first packet of a flow is told, if that is asked for") {
  const Packet opening = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:80").Flags("S").Sequence(7);
  const Packet answer = Packet("tcp 10.2.0.10:80 > 10.1.0.5:40000").Flags("SA").Acknowledge(8);
  {
    Gateway gateway({}, kAll);
    gateway.Enforce(kPolicy);
    CHECK(gateway.Passes(opening));
    CHECK(gateway.Passes(opening));
    CHECK(gateway.Passes(answer));
    const march_event event = Only(gateway);
    CHECK(event.slot == kWeb);
    CHECK(event.action == MARCH_ACTION_ALLOW);
    CHECK(event.src_lo == 0x0A010005);
    CHECK(CountsOf(gateway, MARCH_EVENT_ALLOW).told == 1);
    CHECK(CountsOf(gateway, MARCH_EVENT_DROP).told == 0);
  }
  Gateway gateway({}, Rates(1000, 0));
  gateway.Enforce(kPolicy);
  CHECK(gateway.Passes(opening));
  CHECK(gateway.Events().empty());
  CHECK(CountsOf(gateway, MARCH_EVENT_ALLOW).suppressed == 0);
}

TEST_CASE("a policy without connections tells of drops, and one that allows all of none") {
  const std::string head = "apiVersion: march/v1\nkind: Policy\n";
  Gateway gateway({}, kAll);
  gateway.Enforce(head + "mappings: { none: { action: deny } }\n");
  const Packet packet("udp 10.1.0.5:9 > 10.2.0.10:9");
  CHECK_FALSE(gateway.Passes(packet));
  CHECK(Only(gateway).slot == MARCH_SLOT_FIRST_MAPPING);
  gateway.Enforce(head + "defaults: { action: allow }\n");
  CHECK(gateway.Passes(packet));
  CHECK(Only(gateway).action == MARCH_ACTION_ALLOW);
}

TEST_CASE("above the rate, drops are counted and not told, each exactly once") {
  Gateway gateway({}, Rates(10, 0));
  gateway.Enforce(kPolicy);
  const Packet packet = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:25").Flags("S");
  gateway.Passes(packet.bytes(), 500);
  const auto told = gateway.Events();
  // A second's worth at once, on each CPU that the test ran on; the clock may go on meanwhile.
  CHECK(told.size() >= 10);
  CHECK(told.size() <= 30);
  Counts counts = CountsOf(gateway, MARCH_EVENT_DROP);
  CHECK(counts.told == told.size());
  CHECK(counts.lost == 0);
  CHECK(counts.told + counts.suppressed == 500);
  CHECK(gateway.Counted("default") == 500);
  // By and by, each CPU tells how many it has not told of.
  std::uint64_t untold = 0;
  for (const march_event& event : told) untold += event.untold;
  for (int i = 0; i < 300 && untold < counts.suppressed; ++i) {
    timespec pause{0, 20'000'000};
    nanosleep(&pause, nullptr);
    gateway.Passes(packet.bytes());
    for (const march_event& event : gateway.Events()) untold += event.untold;
    counts = CountsOf(gateway, MARCH_EVENT_DROP);
  }
  CHECK(counts.told + counts.suppressed == gateway.Counted("default"));
  CHECK(untold <= counts.suppressed);
  CHECK(untold >= 500 - told.size());
}

TEST_CASE("events that find no room in the ring are counted, and told of later") {
  Gateway gateway({}, kAll);
  gateway.Enforce(kPolicy);
  const Packet packet = Packet("tcp 10.1.0.5:40000 > 10.2.0.10:25").Flags("S");
  constexpr int kDrops = 15'000;
  gateway.Passes(packet.bytes(), kDrops);
  Counts counts = CountsOf(gateway, MARCH_EVENT_DROP);
  CHECK(counts.told >= 10'000);
  CHECK(counts.lost > 0);
  CHECK(counts.suppressed == 0);
  CHECK(counts.told + counts.lost == kDrops);
  const auto events = gateway.Events();
  CHECK(events.size() == counts.told);
  CHECK(events.back().untold == 0);
  std::uint64_t untold = 0;
  for (int i = 0; i < 1000 && untold < counts.lost; ++i) {
    gateway.Passes(packet.bytes());
    untold += Only(gateway).untold;
  }
  CHECK(untold == counts.lost);
}

TEST_CASE("what is not asked for has no maps") {
  Gateway gateway;
  CHECK(gateway.state().Find("march_events") < 0);
  CHECK(gateway.state().Find("march_event_budgets") < 0);
  // And a program without them loads and drops.
  gateway.Enforce(kPolicy);
  CHECK_FALSE(gateway.Passes(Packet("tcp 10.1.0.5:40000 > 10.2.0.10:25")));
}

}  // namespace
}  // namespace march::tests
