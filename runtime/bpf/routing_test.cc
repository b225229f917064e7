// What messages of rtnetlink say of routing, byte by byte.
#include "runtime/bpf/routing.h"

#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <sys/socket.h>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

namespace march::bpf {
namespace {

template <class Value>
std::string BytesOf(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

std::string Padded(std::string bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

std::string Attribute(std::uint16_t type, const std::string& value) {
  const nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
  return Padded(BytesOf(head) + value);
}

std::string Message(std::uint16_t type, const std::string& payload, std::uint16_t flags = 0) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof(header) + payload.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  return Padded(BytesOf(header) + payload);
}

std::string Rule(const std::string& attributes = {}, std::uint8_t family = AF_INET,
                 std::uint8_t source_bits = 0) {
  fib_rule_hdr rule{};
  rule.family = family;
  rule.src_len = source_bits;
  return Message(RTM_NEWRULE, BytesOf(rule) + attributes);
}

std::string Route(const std::string& attributes = {}, std::uint8_t family = AF_INET,
                  std::uint8_t source_bits = 0) {
  rtmsg route{};
  route.rtm_family = family;
  route.rtm_src_len = source_bits;
  return Message(RTM_NEWROUTE, BytesOf(route) + attributes);
}

std::string NextHop(const std::string& attributes) {
  return Message(RTM_NEWNEXTHOP, BytesOf(nhmsg{}) + attributes);
}

RoutingNews Read(const std::string& datagram) {
  RoutingNews news;
  ReadRoutingNews(datagram, news);
  return news;
}

// "v4 v6": of which families it tells, and with a + if something asks for more.
std::string Told(const std::string& datagram) {
  const RoutingNews news = Read(datagram);
  std::string told;
  if (news.changed[kIpv4]) told += news.asks_more[kIpv4] ? "v4+" : "v4";
  if (news.changed[kIpv6]) told += news.asks_more[kIpv6] ? "v6+" : "v6";
  return told + (news.failed ? " failed" : "");
}

const std::string kNumber(4, '\1');

TEST_CASE("rules that every packet to a destination meets alike") {
  CHECK(Told(Rule()) == "v4");
  CHECK(Told(Rule({}, AF_INET6)) == "v6");
  // Those of a system that was not touched.
  CHECK(Told(Rule(Attribute(FRA_TABLE, kNumber) + Attribute(FRA_SUPPRESS_PREFIXLEN, kNumber) +
                  Attribute(FRA_PROTOCOL, "\2") + Attribute(FRA_PRIORITY, kNumber))) == "v4");
  for (const int type : {FRA_DST, FRA_IIFNAME, FRA_FWMARK, FRA_FWMASK, FRA_L3MDEV, FRA_OIFNAME,
                         FRA_UID_RANGE, FRA_TUN_ID, FRA_GOTO}) {
    CHECK(Told(Rule(Attribute(static_cast<std::uint16_t>(type), kNumber))) == "v4");
  }
}

TEST_CASE("rules by source, protocol or ports, and by what is not known here") {
  CHECK(Told(Rule({}, AF_INET, 24)) == "v4+");
  CHECK(Told(Rule({}, AF_INET6, 64)) == "v6+");
  for (const int type : std::initializer_list<int>{FRA_SRC, FRA_IP_PROTO, FRA_SPORT_RANGE,
                                                   FRA_DPORT_RANGE, 26 /* FRA_FLOWLABEL */, 999}) {
    CHECK(Told(Rule(Attribute(static_cast<std::uint16_t>(type), kNumber))) == "v4+");
  }
  // The last of many.
  CHECK(Told(Rule(Attribute(FRA_TABLE, kNumber) + Attribute(FRA_IP_PROTO, "\6"))) == "v4+");
}

TEST_CASE("routes with one next hop, with several, and for some sources") {
  CHECK(Told(Route(Attribute(RTA_DST, kNumber) + Attribute(RTA_GATEWAY, kNumber) +
                   Attribute(RTA_OIF, kNumber) + Attribute(RTA_PREFSRC, kNumber) +
                   Attribute(RTA_NH_ID, kNumber))) == "v4");
  CHECK(Told(Route({}, AF_INET6)) == "v6");
  CHECK(Told(Route(Attribute(RTA_MULTIPATH, std::string(16, '\0')))) == "v4+");
  CHECK(Told(Route(Attribute(RTA_MULTIPATH, std::string(16, '\0')), AF_INET6)) == "v6+");
  CHECK(Told(Route({}, AF_INET6, 48)) == "v6+");
  CHECK(Told(Route(Attribute(RTA_SRC, std::string(16, '\0')), AF_INET6)) == "v6+");
  // Routes of multicast are none of those.
  CHECK(Told(Route({}, RTNL_FAMILY_IPMR)).empty());
}

TEST_CASE("next hops are of both families, and a group of one is no choice") {
  CHECK(Told(NextHop(Attribute(NHA_ID, kNumber) + Attribute(NHA_OIF, kNumber))) == "v4v6");
  CHECK(Told(NextHop(Attribute(NHA_GROUP, std::string(sizeof(nexthop_grp), '\0')))) == "v4v6");
  CHECK(Told(NextHop(Attribute(NHA_GROUP, std::string(2 * sizeof(nexthop_grp), '\0')))) ==
        "v4+v6+");
}

TEST_CASE("what goes asks for nothing, and changes something") {
  rtmsg route{};
  route.rtm_family = AF_INET6;
  CHECK(Told(Message(RTM_DELROUTE,
                     BytesOf(route) + Attribute(RTA_MULTIPATH, std::string(16, '\0')))) == "v6");
  fib_rule_hdr rule{};
  rule.family = AF_INET;
  rule.src_len = 24;
  CHECK(Told(Message(RTM_DELRULE, BytesOf(rule))) == "v4");
  CHECK(Told(Message(RTM_DELNEXTHOP, BytesOf(nhmsg{}))) == "v4v6");
}

TEST_CASE("many messages in one datagram, and where an answer ends") {
  const std::string both = Rule() + Route({}, AF_INET6, 1);
  CHECK(Told(both) == "v4v6+");
  CHECK_FALSE(Read(both).done);
  CHECK(Read(both + Message(NLMSG_DONE, BytesOf(0))).done);
  CHECK_FALSE(Read(Message(NLMSG_DONE, BytesOf(0))).failed);
  const RoutingNews refused = Read(Message(NLMSG_ERROR, BytesOf(-EOPNOTSUPP)));
  CHECK(refused.done);
  CHECK(refused.failed);
  CHECK(refused.error == EOPNOTSUPP);
  CHECK(Told(Message(NLMSG_OVERRUN, "")) == " failed");
  // The table has changed while it was read.
  CHECK(Told(Message(RTM_NEWROUTE, BytesOf(rtmsg{}), NLM_F_DUMP_INTR)) == "v4v6 failed");
  CHECK(Told(Message(RTM_NEWLINK, "anything at all")).empty());
  CHECK(Told("").empty());
}

TEST_CASE("what is cut short is taken for the worst") {
  const std::string whole = Rule(Attribute(FRA_PRIORITY, kNumber));
  for (std::size_t length = 1; length < whole.size(); ++length) {
    INFO(length);
    CHECK(Told(whole.substr(0, length)) == "v4+v6+ failed");
    // Cut inside of its length: an attribute that is not whole, or no header.
    if (length < sizeof(nlmsghdr)) continue;
    std::string shorter = whole.substr(0, length);
    shorter[0] = static_cast<char>(length);
    const bool is_whole = length == sizeof(nlmsghdr) + sizeof(fib_rule_hdr);
    const bool has_family = length > sizeof(nlmsghdr);
    CHECK(Told(shorter) == (is_whole ? "v4" : has_family ? "v4+" : "v4+v6+"));
  }
  nlattr endless{};
  CHECK(Told(Rule(BytesOf(endless))) == "v4+");
  endless.nla_len = 9;
  CHECK(Told(Rule(BytesOf(endless))) == "v4+");
  nlmsghdr empty{};
  CHECK(Told(BytesOf(empty)) == "v4+v6+ failed");
}

}  // namespace
}  // namespace march::bpf
