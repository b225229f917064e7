// What marchd learns of the rules, routes and next hops of a real network namespace, and when.
#include "runtime/bpf/routing.h"

#include <poll.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

#include "runtime/bpf/interfaces.h"
#include "tests/forwarding/hosts.h"

namespace march::tests {
namespace {

using bpf::PlainRouting;
using bpf::RoutingWatch;
using Clock = RoutingWatch::Clock;

constexpr PlainRouting kBoth{true, true};
constexpr PlainRouting kOnlyIpv4{true, false};
constexpr PlainRouting kOnlyIpv6{false, true};

// Whether it says by itself that something has changed.
bool HasNews(const RoutingWatch& watch) {
  pollfd poll{watch.fd(), POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

// A change that a watch is told of, and that one which comes later finds.
void Expect(RoutingWatch& watch, const std::string& change, PlainRouting expected) {
  INFO(change);
  Ip(change);
  CHECK(HasNews(watch));
  CHECK(watch.Look({}) == expected);
  CHECK(RoutingWatch().Look({}) == expected);
}

// What makes routing ask for more is seen at once; that it went, when all is read again.
void ExpectUntilReadAgain(const std::string& change, const std::string& undo,
                          PlainRouting meanwhile) {
  RoutingWatch watch;
  REQUIRE(watch.Look({}) == kBoth);
  CHECK_FALSE(HasNews(watch));
  Expect(watch, change, meanwhile);
  INFO(undo);
  Ip(undo);
  const Clock::time_point begun{};
  CHECK(watch.Look(begun) == meanwhile);
  CHECK(watch.Look(begun + RoutingWatch::kReadAgainAfter / 2) == meanwhile);
  CHECK(watch.Look(begun + RoutingWatch::kReadAgainAfter * 2) == kBoth);
  CHECK_FALSE(HasNews(watch));
}

TEST_CASE("rules that ask for more than the destination are noticed at once") {
  EnterNetwork();
  ExpectUntilReadAgain("rule add from 10.1.0.0/24 table 7", "rule del from 10.1.0.0/24 table 7",
                       kOnlyIpv6);
  ExpectUntilReadAgain("-6 rule add ipproto tcp dport 80 table 7",
                       "-6 rule del ipproto tcp dport 80 table 7", kOnlyIpv4);
  RoutingWatch watch;
  for (const char* rule : {"to 10.3.0.0/24 iif out tos 0x10 table 7", "fwmark 1 table 7"}) {
    Expect(watch, std::string("rule add ") + rule, kBoth);
    Expect(watch, std::string("rule del ") + rule, kBoth);
  }
}

TEST_CASE("routes with several next hops are noticed at once") {
  EnterNetwork();
  ExpectUntilReadAgain("route add 10.9.0.0/16 nexthop via 10.2.0.9 nexthop via 10.2.0.10",
                       "route del 10.9.0.0/16", kOnlyIpv6);
  ExpectUntilReadAgain(
      "-6 route add 2001:db8:9::/48 nexthop via 2001:db8:2::9 nexthop via 2001:db8:2::10",
      "-6 route del 2001:db8:9::/48", kOnlyIpv4);
  // One after the other, as routing daemons add them.
  RoutingWatch watch;
  Expect(watch, "-6 route add 2001:db8:9::/48 via 2001:db8:2::9", kBoth);
  ExpectUntilReadAgain("-6 route append 2001:db8:9::/48 via 2001:db8:2::10",
                       "-6 route del 2001:db8:9::/48 via 2001:db8:2::10", kOnlyIpv4);
  Ip("-6 route del 2001:db8:9::/48");
}

TEST_CASE("routes that go with their interface, of which the kernel tells nobody") {
  EnterNetwork();
  Ip("link add gone0 type veth peer name gone1");
  Ip("link set gone0 up");
  Ip("link set gone1 up");
  ExpectUntilReadAgain("route add 10.9.0.0/16 nexthop dev gone0 nexthop dev gone1",
                       "link del gone0", kOnlyIpv6);
}

TEST_CASE("groups of next hops are noticed at once") {
  EnterNetwork();
  RoutingWatch watch;
  Expect(watch, "nexthop add id 1 via 10.2.0.9 dev out", kBoth);
  Expect(watch, "nexthop add id 2 via 10.2.0.10 dev out", kBoth);
  Expect(watch, "nexthop add id 3 group 1", kBoth);
  ExpectUntilReadAgain("nexthop add id 4 group 1/2", "nexthop del id 4", PlainRouting{});
  Ip("nexthop flush");
}

TEST_CASE("changes that were lost make nothing plain until all is read again") {
  EnterNetwork();
  RoutingWatch watch;
  Clock::time_point now{};
  REQUIRE(watch.Look(now) == kBoth);
  // More than the queue holds.
  std::string batch;
  for (int i = 0; i < 4000; ++i) {
    const std::string to = "10.9." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    batch += "route add " + to + " via 10.2.0.9\nroute del " + to + "\n";
  }
  for (int i = 0; i < 3; ++i) IpBatch(batch);
  CHECK(watch.Look(now) == PlainRouting{});
  now += RoutingWatch::kReadAgainAfter;
  CHECK(watch.Look(now) == kBoth);
}

TEST_CASE("the fast interfaces are told how long routing is plain") {
  std::vector<bpf::Surveyed> interfaces(2);
  interfaces[1].entry.flags = MARCH_INTERFACE_FAST;
  const std::chrono::seconds now(1000);
  bpf::TellRouting(kOnlyIpv6, now, interfaces);
  CHECK(interfaces[0].entry.plain_until[bpf::kIpv6] == 0);
  CHECK(interfaces[1].entry.plain_until[bpf::kIpv4] == 0);
  CHECK(interfaces[1].entry.plain_until[bpf::kIpv6] == 1'015'000'000'000);
  bpf::TellRouting(kOnlyIpv4, now, interfaces);
  CHECK(interfaces[1].entry.plain_until[bpf::kIpv4] == 1'015'000'000'000);
  CHECK(interfaces[1].entry.plain_until[bpf::kIpv6] == 0);
}

}  // namespace
}  // namespace march::tests
