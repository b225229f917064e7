#include "runtime/bpf/interfaces.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "runtime/bpf/loader.h"
#include "runtime/bpf/unique_fd.h"
#include "runtime/bpf/xdp_features.h"

namespace march::bpf {
namespace {

struct FreeAddresses {
  void operator()(ifaddrs* addresses) const { ::freeifaddrs(addresses); }
};
using Addresses = std::unique_ptr<ifaddrs, FreeAddresses>;

std::uint64_t BigEndian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

// The MAC and, of the addresses that others can reach, the first of either family.
void TakeAddress(const sockaddr& address, march_interface& entry) {
  if (address.sa_family == AF_PACKET) {
    sockaddr_ll link{};
    std::memcpy(&link, &address, sizeof(link));
    if (link.sll_halen == 6) std::memcpy(entry.mac, link.sll_addr, 6);
  } else if (address.sa_family == AF_INET && entry.ipv4 == 0) {
    sockaddr_in inet{};
    std::memcpy(&inet, &address, sizeof(inet));
    entry.ipv4 = ntohl(inet.sin_addr.s_addr);
  } else if (address.sa_family == AF_INET6 && (entry.ipv6_hi | entry.ipv6_lo) == 0) {
    sockaddr_in6 inet{};
    std::memcpy(&inet, &address, sizeof(inet));
    if (IN6_IS_ADDR_LINKLOCAL(&inet.sin6_addr)) return;
    entry.ipv6_hi = BigEndian(inet.sin6_addr.s6_addr, 8);
    entry.ipv6_lo = BigEndian(inet.sin6_addr.s6_addr + 8, 8);
  }
}

// One of the older requests of ethtool(8): a struct that begins with its command.
bool AskDriver(const std::string& name, void* request) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq carrier{};
  name.copy(carrier.ifr_name, IFNAMSIZ - 1);
  carrier.ifr_data = static_cast<char*>(request);
  return socket.ok() && ::ioctl(socket.get(), SIOCETHTOOL, &carrier) == 0;
}

// "" if it does not say.
std::string DriverOf(const std::string& name) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!AskDriver(name, &info)) return {};
  return {info.driver, ::strnlen(info.driver, sizeof(info.driver))};
}

// Whether VLAN tags are taken off before a program sees a frame, which then is like one without.
bool TakesTagsOff(const std::string& name) {
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  return AskDriver(name, &flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

// Whether there are VLAN interfaces on it: "NAME | ID | OF" in each line but the first two.
bool HasVlans(const std::string& name) {
  std::ifstream file("/proc/net/vlan/config");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t of = line.rfind("| ");
    if (of != std::string::npos && line.substr(of + 2) == name) return true;
  }
  return false;
}

// The larger one of the interface's and that of all holds (Documentation/networking/ip-sysctl.rst).
// What cannot be read is taken for strict.
std::uint32_t SourceValidation(const std::string& name) {
  int level = 0;
  for (const std::string& of : {std::string("all"), name}) {
    std::ifstream file("/proc/sys/net/ipv4/conf/" + of + "/rp_filter");
    int value = 1;
    file >> value;
    level = std::max(level, file ? value : 1);
  }
  if (level == 0) return 0;
  return level == 2 ? MARCH_INTERFACE_LOOSE : MARCH_INTERFACE_STRICT;
}

enum class Runs { kNothing, kNatively, kGenerically };

Runs WhatRuns(unsigned ifindex) {
  bpf_xdp_query_opts answer{};
  answer.sz = sizeof(answer);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &answer) != 0) return Runs::kNothing;
  if (answer.drv_prog_id != 0) return Runs::kNatively;
  return answer.skb_prog_id != 0 ? Runs::kGenerically : Runs::kNothing;
}

// Which of them send what a program on another one redirects. Before Linux 6.3 nobody tells: then
// those whose drivers run programs themselves, which nearly all can. A generic program sends by way
// of the ordinary stack, which every driver has.
class Transmitters {
 public:
  explicit Transmitters(const std::vector<unsigned>& ifindexes)
      : features_(XdpFeatures(ifindexes)) {
    only_generic_ = std::none_of(ifindexes.begin(), ifindexes.end(), [](unsigned ifindex) {
      return WhatRuns(ifindex) != Runs::kGenerically;
    });
  }

  bool Has(unsigned ifindex) const {
    if (only_generic_) return true;
    if (!features_) return WhatRuns(ifindex) == Runs::kNatively;
    const auto found = features_->find(ifindex);
    return found != features_->end() && (found->second & kXdpTransmits) != 0;
  }

 private:
  std::optional<std::map<unsigned, std::uint64_t>> features_;
  bool only_generic_ = false;
};

// Ends of virtual cables: what comes out was sent on this machine.
bool IsLocal(std::string_view driver) {
  return driver.empty() || driver == "veth" || driver == "tun";
}

Surveyed Survey(const Guarded& interface, unsigned ifindex, const Transmitters& transmitters,
                const ifaddrs* addresses) {
  Surveyed surveyed;
  march_interface& entry = surveyed.entry;
  entry.ifindex = ifindex;
  for (const ifaddrs* at = addresses; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr != nullptr && interface.name == at->ifa_name) {
      TakeAddress(*at->ifa_addr, entry);
    }
  }
  const std::string driver = DriverOf(interface.name);
  if (driver == "veth") entry.flags |= MARCH_INTERFACE_PAIRED;
  if (!interface.fast) return surveyed;
  // What comes out of a virtual cable has its tags where its sender left them.
  if (driver == "veth" && HasVlans(interface.name)) {
    surveyed.problem = "there are VLANs on " + interface.name +
                       ", and of a virtual cable the program does not see which";
    return surveyed;
  }
  if (driver != "veth" && TakesTagsOff(interface.name)) {
    surveyed.problem = "the driver of " + interface.name +
                       " takes VLAN tags off before the program sees them; `ethtool -K " +
                       interface.name + " rxvlan off` leaves them";
    return surveyed;
  }
  entry.flags |= MARCH_INTERFACE_FAST | SourceValidation(interface.name);
  if (IsLocal(driver)) entry.flags |= MARCH_INTERFACE_LOCAL;
  if (transmitters.Has(ifindex)) {
    entry.flags |= MARCH_INTERFACE_TRANSMITS;
  } else if (driver == "veth") {
    surveyed.problem =
        "the other end of " + interface.name +
        " does not take XDP frames, which `ethtool -K INTERFACE gro on` there enables";
  } else {
    surveyed.problem = "the driver of " + interface.name + " does not transmit XDP frames";
  }
  return surveyed;
}

bool AreSame(const march_interface& one, const march_interface& other) {
  return std::memcmp(&one, &other, sizeof(one)) == 0;
}

}  // namespace

std::vector<Surveyed> SurveyInterfaces(std::span<const Guarded> interfaces) {
  std::vector<unsigned> all;
  std::vector<unsigned> present;
  for (const Guarded& interface : interfaces) {
    all.push_back(::if_nametoindex(interface.name.c_str()));
    if (all.back() != 0) present.push_back(all.back());
  }
  ifaddrs* found = nullptr;
  const Addresses addresses(::getifaddrs(&found) == 0 ? found : nullptr);
  const Transmitters transmitters(present);
  std::vector<Surveyed> surveyed;
  surveyed.reserve(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    surveyed.push_back(all[i] == 0 ? Surveyed{}
                                   : Survey(interfaces[i], all[i], transmitters, addresses.get()));
  }
  return surveyed;
}

void TellRouting(PlainRouting routing, std::chrono::nanoseconds now,
                 std::span<Surveyed> interfaces) {
  const auto until = static_cast<std::uint64_t>((now + kPlainFor).count());
  for (Surveyed& interface : interfaces) {
    if ((interface.entry.flags & MARCH_INTERFACE_FAST) == 0) continue;
    interface.entry.plain_until[kIpv4] = routing.ipv4 ? until : 0;
    interface.entry.plain_until[kIpv6] = routing.ipv6 ? until : 0;
  }
}

Outcome<Done> WriteInterfaces(int map, std::span<Surveyed> interfaces) {
  std::array<march_interface, MARCH_INTERFACES> wanted{};
  for (Surveyed& interface : interfaces) {
    if (interface.entry.ifindex == 0) continue;
    bool has_place = false;
    for (std::uint32_t i = 0; i < MARCH_INTERFACE_PLACES && !has_place; ++i) {
      march_interface& place = wanted.at((interface.entry.ifindex + i) % MARCH_INTERFACES);
      has_place = place.ifindex == 0;
      if (has_place) place = interface.entry;
    }
    if (!has_place) interface.problem = "too many interfaces have numbers alike";
  }
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    march_interface now{};
    if (bpf_map_lookup_elem(map, &i, &now) != 0) return KernelRefused("read interfaces", errno);
    if (AreSame(now, wanted.at(i))) continue;
    if (bpf_map_update_elem(map, &i, &wanted.at(i), BPF_ANY) != 0) {
      return KernelRefused("write interfaces", errno);
    }
  }
  return Done{};
}

}  // namespace march::bpf
