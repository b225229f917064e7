// What the references are filled from.
#include <algorithm>
#include <catch2/catch.hpp>

#include "bench/fastpath/live/netfilter.h"
#include "bench/fastpath/subjects/port_classes.h"
#include "bench/fastpath/subjects/prefix_index.h"
#include "compiler/space/protocol.h"

namespace march::bench {
namespace {

using space::Family;
using space::Prefix;

Prefix P4(std::uint32_t address, unsigned length) {
  return Prefix::Of({Family::kV4, address}, length);
}

TEST_CASE("an index of prefixes finds what is inside one, and the longest around an address") {
  const Prefix any = P4(0, 0), site = P4(0x0A010000, 16), net = P4(0x0A010200, 24);
  const Prefix host = P4(0x0A010203, 32), other = P4(0x0A020000, 16);
  const PrefixIndex index({host, other, any, net, site, host});
  REQUIRE(index.prefixes() == std::vector<Prefix>{any, site, net, host, other});
  CHECK(index.Inside(any).size() == 5);
  CHECK(index.Inside(site).size() == 3);
  CHECK(index.Inside(host).size() == 1);
  CHECK(index.Longest(0x0A010203) == 3U);
  CHECK(index.Longest(0x0A010204) == 2U);
  CHECK(index.Longest(0x0A01FFFF) == 1U);
  CHECK(index.Longest(0x0A020001) == 4U);
  CHECK(index.Longest(0x0B000000) == 0U);
  CHECK_FALSE(PrefixIndex({net}).Longest(0x0A010300).has_value());
}

TEST_CASE("classes of ports change exactly where a rule begins or ends") {
  tests::PlainRule rule;
  rule.protocol = space::kTcp;
  rule.first_port = 80;
  rule.last_port = 90;
  const PortClasses classes({rule});
  CHECK(classes.count() == 4);
  CHECK(classes.Of(space::kTcp, 79) != classes.Of(space::kTcp, 80));
  CHECK(classes.Of(space::kTcp, 80) == classes.Of(space::kTcp, 90));
  CHECK(classes.Of(space::kTcp, 90) != classes.Of(space::kTcp, 91));
  CHECK(classes.Of(space::kUdp, 80) == classes.Of(space::kUdp, 90));
  CHECK(classes.Of(space::kUdp, 0) != classes.Of(space::kTcp, 0xFFFF));
}

TEST_CASE("an nftables set is refused to policies with denies") {
  Policy policy;
  tests::PlainRule rule;
  rule.source = P4(0x0A010000, 16);
  rule.destination = P4(0x0A020000, 16);
  rule.protocol = space::kTcp;
  rule.first_port = rule.last_port = 443;
  policy.rules = {rule};
  const auto script = NftScript(policy, NftPlace::kIngress, NftForm::kSet, "eth0");
  REQUIRE(script.has_value());
  CHECK(script->find("10.1.0.0/16 . 10.2.0.0/16 . tcp . 443") != std::string::npos);
  policy.rules[0].allow = false;
  CHECK_FALSE(NftScript(policy, NftPlace::kIngress, NftForm::kSet, "eth0").has_value());
  CHECK(NftScript(policy, NftPlace::kIngress, NftForm::kMap, "eth0").has_value());
}

}  // namespace
}  // namespace march::bench
