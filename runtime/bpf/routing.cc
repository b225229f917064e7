#include "runtime/bpf/routing.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "runtime/bpf/netlink.h"

namespace march::bpf {
namespace {

using std::chrono::seconds;

constexpr std::array<std::uint8_t, 2> kFamilies = {AF_INET, AF_INET6};
constexpr std::array<int, 5> kGroups = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_ROUTE,
                                        RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP};
// The kernel answers in pieces of at most 32 KiB.
constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kQueueBytes = 1024 * 1024;
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

// What a rule may say without asking for anything but destination, class and interface. Marks,
// tunnels, users and outgoing interfaces are the same for all that the program asks about: none.
// FRA_DSCP and FRA_DSCP_MASK are younger than some headers.
constexpr std::array<std::uint16_t, 18> kPlainOfRules = {
    FRA_DST,      FRA_IIFNAME, FRA_GOTO,  FRA_PRIORITY,         FRA_FWMARK,
    FRA_FLOW,     FRA_TUN_ID,  FRA_TABLE, FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN,
    FRA_FWMASK,   FRA_OIFNAME, FRA_PAD,   FRA_L3MDEV,           FRA_UID_RANGE,
    FRA_PROTOCOL, 25,          30};

// Whether there is such an attribute, or something that is none.
template <class Asks>
bool AnyAttribute(std::string_view attributes, const Asks& asks) {
  while (const auto attribute = TakeAttribute(attributes)) {
    if (asks(*attribute)) return true;
  }
  return !attributes.empty();
}

bool RuleAsksMore(std::string_view payload) {
  const auto rule = ReadValue<fib_rule_hdr>(payload);
  if (!rule || rule->src_len != 0) return true;
  return AnyAttribute(payload.substr(sizeof(fib_rule_hdr)), [](const NetlinkAttribute& attribute) {
    return std::find(kPlainOfRules.begin(), kPlainOfRules.end(), attribute.type) ==
           kPlainOfRules.end();
  });
}

// A route by the number of a next hop asks for what that does.
bool RouteAsksMore(std::string_view payload) {
  const auto route = ReadValue<rtmsg>(payload);
  if (!route || route->rtm_src_len != 0) return true;
  return AnyAttribute(payload.substr(sizeof(rtmsg)), [](const NetlinkAttribute& attribute) {
    return attribute.type == RTA_MULTIPATH || attribute.type == RTA_SRC;
  });
}

bool NextHopAsksMore(std::string_view payload) {
  if (payload.size() < sizeof(nhmsg)) return true;
  return AnyAttribute(payload.substr(sizeof(nhmsg)), [](const NetlinkAttribute& attribute) {
    return attribute.type == NHA_GROUP && attribute.value.size() > sizeof(nexthop_grp);
  });
}

void Add(std::uint8_t family, bool asks_more, RoutingNews& news) {
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    if (family != AF_UNSPEC && family != kFamilies.at(i)) continue;
    news.changed.at(i) = true;
    news.asks_more.at(i) |= asks_more;
  }
}

void ReadEnd(const NetlinkMessage& message, RoutingNews& news) {
  news.done = true;
  const int error = ReadValue<int>(message.payload).value_or(0);
  if (error == 0) return;
  news.failed = true;
  news.error = -error;
}

void ReadMessage(const NetlinkMessage& message, RoutingNews& news) {
  if (message.header.nlmsg_flags & NLM_F_DUMP_INTR) news.failed = true;
  const std::string_view payload = message.payload;
  const auto family = ReadValue<std::uint8_t>(payload).value_or(AF_UNSPEC);
  switch (message.header.nlmsg_type) {
    case NLMSG_DONE:
    case NLMSG_ERROR:
      return ReadEnd(message, news);
    case NLMSG_OVERRUN:
      news.failed = true;
      return;
    case RTM_NEWRULE:
      return Add(family, RuleAsksMore(payload), news);
    case RTM_NEWROUTE:
      return Add(family, RouteAsksMore(payload), news);
    case RTM_NEWNEXTHOP:
      // A group may be of either family, and says of none.
      return Add(AF_UNSPEC, NextHopAsksMore(payload), news);
    case RTM_DELRULE:
    case RTM_DELROUTE:
      return Add(family, false, news);
    case RTM_DELNEXTHOP:
      return Add(AF_UNSPEC, false, news);
    default:
      return;
  }
}

UniqueFd OpenChanges() {
  UniqueFd fd = OpenRouteChanges(kGroups);
  if (!fd.ok()) return fd;
  // Without the right to exceed the system's limit, that holds.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kQueueBytes, sizeof(kQueueBytes)) != 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kQueueBytes, sizeof(kQueueBytes));
  }
  return fd;
}

// The next datagram of the kernel's, with errno 0; or empty, with the reason in errno. Longer than
// `buffer` is EMSGSIZE.
std::string_view Receive(int fd, std::vector<char>& buffer) {
  for (;;) {
    sockaddr_nl sender{};
    socklen_t length = sizeof(sender);
    const ssize_t got = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&sender), &length);
    if (got < 0 && errno == EINTR) continue;
    if (got > 0 && sender.nl_pid != 0) continue;
    if (got <= 0) return {};
    errno = static_cast<std::size_t>(got) > buffer.size() ? EMSGSIZE : 0;
    return errno == 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(got))
                      : std::string_view();
  }
}

struct Question {
  nlmsghdr header;
  std::array<std::uint8_t, 12> body;  // begins with the family
};

// Whether there is something that asks for more, of one kind and family. None: it could not be
// read. What remains unread goes with the socket.
std::optional<bool> AsksMore(std::uint16_t type, std::uint8_t family, std::size_t body_bytes,
                             std::vector<char>& buffer) {
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  Question question{};
  question.header.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + body_bytes);
  question.header.nlmsg_type = type;
  question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.body[0] = family;
  if (::send(fd.get(), &question, question.header.nlmsg_len, 0) < 0) return std::nullopt;
  RoutingNews news;
  while (!news.done) {
    const std::string_view datagram = Receive(fd.get(), buffer);
    if (datagram.empty()) return std::nullopt;
    ReadRoutingNews(datagram, news);
    if (news.asks_more[kIpv4] || news.asks_more[kIpv6]) return true;
  }
  // Before Linux 5.3, there are no next hops of their own.
  if (type == RTM_GETNEXTHOP && news.error == EOPNOTSUPP) return false;
  return news.failed ? std::nullopt : std::optional(false);
}

}  // namespace

void ReadRoutingNews(std::string_view datagram, RoutingNews& news) {
  while (const auto message = TakeMessage(datagram)) ReadMessage(*message, news);
  if (datagram.empty()) return;
  news.failed = true;
  Add(AF_UNSPEC, true, news);
}

RoutingWatch::RoutingWatch() : changes_(OpenChanges()), buffer_(kBufferBytes) {}

PlainRouting RoutingWatch::Look(Clock::time_point now) {
  if (!changes_.ok()) return {};
  const std::array<bool, 2> asked_more = asks_more_;
  TakeNews();
  for (const std::size_t family : {kIpv4, kIpv6}) {
    // What has come is told first, and whether it has gone again is read later.
    if (!asked_more.at(family) && asks_more_.at(family)) {
      read_again_.at(family) = std::max(read_again_.at(family), now + kReadAgainAfter);
    }
    ReadAll(family, now);
  }
  // The kernel may pass over routes of IPv6 while others come and go.
  const bool was_read = asked_more[kIpv6] && !asks_more_[kIpv6];
  const bool has_changed = TakeNews()[kIpv6];
  if (was_read && has_changed) asks_more_[kIpv6] = true;
  return {!asks_more_[kIpv4], !asks_more_[kIpv6]};
}

std::array<bool, 2> RoutingWatch::TakeNews() {
  RoutingNews news;
  for (;;) {
    const std::string_view datagram = Receive(changes_.get(), buffer_);
    if (datagram.empty() && errno == EAGAIN) break;
    if (datagram.empty()) {
      // Some were lost; the queue goes on behind them.
      news.failed = true;
      if (errno == ENOBUFS || errno == EMSGSIZE) continue;
      break;
    }
    ReadRoutingNews(datagram, news);
  }
  for (const std::size_t family : {kIpv4, kIpv6}) {
    news.changed.at(family) |= news.failed;
    asks_more_.at(family) |= news.asks_more.at(family) || news.failed;
  }
  return news.changed;
}

void RoutingWatch::ReadAll(std::size_t family, Clock::time_point now) {
  if (!asks_more_.at(family) || now < read_again_.at(family)) return;
  const Clock::time_point begun = Clock::now();
  const std::uint8_t of = kFamilies.at(family);
  std::optional<bool> asks_more = AsksMore(RTM_GETRULE, of, sizeof(fib_rule_hdr), buffer_);
  if (asks_more == false) asks_more = AsksMore(RTM_GETNEXTHOP, AF_UNSPEC, sizeof(nhmsg), buffer_);
  if (asks_more == false) asks_more = AsksMore(RTM_GETROUTE, of, sizeof(rtmsg), buffer_);
  asks_more_.at(family) = asks_more.value_or(true);
  read_again_.at(family) =
      now + std::max<Clock::duration>(kReadAgainAfter, (Clock::now() - begun) * 20);
}

}  // namespace march::bpf
