#include "bench/fastpath/live/gateway.h"

#include <net/if.h>

namespace march::bench {
namespace {

constexpr const char* kFeed = "feed0";
constexpr const char* kOut = "out0";

}  // namespace

Gateway::Gateway() : in_(NewInterfaceName()) {
  {
    const Namespace::Inside here(outside_);
    Sysctl("ipv6/conf/all/disable_ipv6", "1");
    Sysctl("ipv6/conf/default/disable_ipv6", "1");
    MakeVeth({outside_, kFeed, "02:00:00:00:00:01"}, {inside_, in_, "02:00:00:00:00:02"});
    MustRun({"ip", "link", "set", kFeed, "up"});
    feed_index_ = ::if_nametoindex(kFeed);
  }
  const Namespace::Inside here(inside_);
  Sysctl("ipv4/conf/all/rp_filter", "0");
  Sysctl("ipv4/conf/default/rp_filter", "0");
  Sysctl("ipv6/conf/default/accept_dad", "0");
  MustRun({"ip", "link", "add", kOut, "type", "bridge", "mcast_snooping", "0"});
  Silence(in_);
  Silence(kOut);
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/all/forwarding", "1");
  }
  for (const std::string& interface : {std::string("lo"), in_, std::string(kOut)}) {
    MustRun({"ip", "link", "set", interface, "up"});
  }
  // Netfilter has no XDP program that would make it take redirected frames.
  SwitchGroOn(in_);
  ServeByThread(in_);
  // One next hop for everything, so that no neighbours are looked for.
  const auto route = [](const char* address, const char* hop) {
    MustRun({"ip", "address", "add", address, "dev", kOut, "nodad"});
    MustRun({"ip", "neighbour", "add", hop, "lladdr", "02:00:00:00:00:03", "dev", kOut});
    MustRun({"ip", "route", "add", "default", "via", hop, "dev", kOut});
  };
  route("192.0.2.2/24", "192.0.2.1");
  route("2001:db8:ffff:ffff::2/64", "2001:db8:ffff:ffff::1");
  in_index_ = ::if_nametoindex(in_.c_str());
}

InterfaceCounts Gateway::CountsOfIn() const {
  return CountsOf(inside_, in_);
}

InterfaceCounts Gateway::CountsOfOut() const {
  return CountsOf(inside_, kOut);
}

std::optional<int> Gateway::ReceiverThread() const {
  return ServingThread(in_, kReceiverCpu);
}

}  // namespace march::bench
