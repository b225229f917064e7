#include "bench/stateful/live/router.h"

#include <net/if.h>

#include "bench/common/priority.h"

namespace march::bench {
namespace {

// The gateway takes a batch at once, and whoever is behind it only when it has done with that: the
// kernel reads no clock when a wake-up makes it switch (rq_clock_skip_update), so the rest of a
// batch would count as the CPU time of whoever was woken.
constexpr int kSinkRank = kSenderRank + 1;
constexpr int kForwarderRank = kSenderRank + 2;

constexpr std::uint8_t kFeedMac[6] = {0x02, 0, 0, 0, 0, 1};
constexpr std::uint8_t kInMac[6] = {0x02, 0, 0, 0, 0, 2};
constexpr std::uint8_t kOutMac[6] = {0x02, 0, 0, 0, 0, 3};
constexpr std::uint8_t kSinkMac[6] = {0x02, 0, 0, 0, 0, 4};

std::string TextOf(const std::uint8_t* mac) {
  char text[18];
  std::snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
  return text;
}

// In the namespace of the calling thread.
unsigned BringUp(const std::string& interface) {
  MustRun({"ip", "link", "set", interface, "up"});
  return ::if_nametoindex(interface.c_str());
}

unsigned BringUpSilently(const Namespace& place, const std::string& interface) {
  const Namespace::Inside here(place);
  Silence(interface);
  return BringUp(interface);
}

// All of a network lies behind one neighbour that is known, so that none is looked for.
void RouteTo(const std::string& network, const std::string& own, const std::string& hop,
             const std::string& interface, const std::uint8_t* mac) {
  MustRun({"ip", "address", "add", own, "dev", interface, "nodad"});
  MustRun({"ip", "neighbour", "add", hop, "lladdr", TextOf(mac), "dev", interface});
  MustRun({"ip", "route", "add", network, "via", hop, "dev", interface});
}

// By a thread on the one CPU.
void ServeUrgently(const Namespace& place, const std::string& interface, int rank) {
  const Namespace::Inside here(place);
  ServeByThread(interface);
  if (const auto thread = ServingThread(interface, kReceiverCpu)) MakeUrgent(*thread, rank);
}

// Only to send from.
void SpeakNothing() {
  Sysctl("ipv6/conf/all/disable_ipv6", "1");
  Sysctl("ipv6/conf/default/disable_ipv6", "1");
}

// After its interfaces were silenced: routers join groups.
void BeRouter() {
  Sysctl("ipv4/conf/all/rp_filter", "0");
  Sysctl("ipv4/conf/default/rp_filter", "0");
  Sysctl("ipv6/conf/default/accept_dad", "0");
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/all/forwarding", "1");
  }
}

}  // namespace

Router::Router()
    : feed_(NewInterfaceName()),
      in_(NewInterfaceName()),
      out_(NewInterfaceName()),
      sink_(NewInterfaceName()),
      drop_("fastpath/bpf/drop.bpf.c") {
  drop_.Load();
  for (const Namespace* side : {&clients_, &servers_}) {
    const Namespace::Inside here(*side);
    SpeakNothing();
  }
  MakeVeth({clients_, feed_, TextOf(kFeedMac)}, {gateway_, in_, TextOf(kInMac)});
  MakeVeth({servers_, sink_, TextOf(kSinkMac)}, {gateway_, out_, TextOf(kOutMac)});
  feed_index_ = BringUpSilently(clients_, feed_);
  sink_index_ = BringUpSilently(servers_, sink_);
  drop_at_feed_.emplace(clients_, feed_index_, drop_.Program("bench_subject"));
  drop_at_sink_.emplace(servers_, sink_index_, drop_.Program("bench_subject"));
  const Namespace::Inside here(gateway_);
  Silence(in_);
  Silence(out_);
  BeRouter();
  MustRun({"ip", "link", "set", "lo", "up"});
  in_index_ = BringUp(in_);
  out_index_ = BringUp(out_);
  RouteTo("10.1.0.0/16", "192.0.2.2/24", "192.0.2.1", in_, kFeedMac);
  RouteTo("10.2.0.0/16", "198.51.100.2/24", "198.51.100.1", out_, kSinkMac);
  RouteTo("2001:db8:1::/48", "2001:db8:fff1::2/64", "2001:db8:fff1::1", in_, kFeedMac);
  RouteTo("2001:db8:2::/48", "2001:db8:fff2::2/64", "2001:db8:fff2::1", out_, kSinkMac);
  // Netfilter has no XDP program that would make an interface take redirected frames.
  for (const std::string& interface : {in_, out_}) {
    SwitchGroOn(interface);
    ServeUrgently(gateway_, interface, kForwarderRank);
  }
  ServeUrgently(servers_, sink_, kSinkRank);
  thread_ = ServingThread(in_, kReceiverCpu);
}

Router::Side Router::clients() const {
  return {clients_, feed_index_, kFeedMac, kInMac};
}

Router::Side Router::servers() const {
  return {servers_, sink_index_, kSinkMac, kOutMac};
}

}  // namespace march::bench
