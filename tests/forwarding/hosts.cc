#include "tests/forwarding/hosts.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "bundle/abi/interface.h"

namespace march::tests {
namespace {

void Write(int map, march_interface entry, const Bytes& mac, bool has_addresses) {
  std::copy(mac.begin(), mac.end(), entry.mac);
  if (has_addresses) {
    entry.ipv4 = 0x0A010001;
    entry.ipv6_hi = 0x20010DB800010000;
    entry.ipv6_lo = 1;
  }
  const std::uint32_t place = entry.ifindex % MARCH_INTERFACES;
  REQUIRE(bpf_map_update_elem(map, &place, &entry, BPF_ANY) == 0);
}

}  // namespace

void Ip(const std::string& arguments) {
  INFO(arguments);
  REQUIRE(std::system(("ip " + arguments).c_str()) == 0);
}

void IpBatch(const std::string& commands) {
  std::FILE* pipe = ::popen("ip -batch -", "w");
  REQUIRE(pipe != nullptr);
  CHECK(std::fwrite(commands.data(), 1, commands.size(), pipe) == commands.size());
  REQUIRE(::pclose(pipe) == 0);
}

void Sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/net/" + name);
  file << value << std::flush;
  INFO(name);
  REQUIRE(file.good());
}

unsigned OutIndex() {
  return if_nametoindex("out");
}

void EnterNetwork() {
  static bool entered = false;
  if (entered) return;
  if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
    std::cerr << "SKIPPED: network namespaces need root\n";
    std::exit(77);
  }
  Ip("link set lo up");
  Ip("link add out address 02:00:00:00:00:aa type veth peer name other");
  Ip("link set other up");
  Ip("link set out up");
  Ip("address add 10.2.255.1/16 dev out");
  Ip("address add 2001:db8:2:ffff::1/48 dev out nodad");
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/all/forwarding", "1");
  }
  for (const char* next : {"10.2.0.9", "2001:db8:2::9"}) {
    Ip("neighbour add " + std::string(next) + " lladdr 02:00:00:00:00:bb dev out");
  }
  Ip("route add 10.3.0.0/16 via 10.2.0.9");
  Ip("-6 route add 2001:db8:3::/48 via 2001:db8:2::9");
  entered = true;
}

Forwarder::Forwarder(march_config config) : gateway_(Gateway::Sizes{}, config) {
  EnterNetwork();
}

void Forwarder::Enforce(const std::string& policy) {
  const int map = gateway_.state().Find("march_interfaces");
  REQUIRE(map >= 0);
  march_interface entry{};
  entry.plain_until[0] = plain_until;
  entry.plain_until[1] = plain_until;
  entry.ifindex = 1;
  entry.flags = in;
  Write(map, entry, kInMac, has_addresses);
  entry.ifindex = OutIndex();
  entry.flags = out;
  Write(map, entry, kOutMac, has_addresses);
  gateway_.Enforce(policy);
}

std::uint64_t Forwarder::Counts(march_statistic which, const Bytes& frame) {
  const std::uint64_t before = gateway_.Statistic(which);
  static_cast<void>(gateway_.Run(frame));
  return gateway_.Statistic(which) - before;
}

}  // namespace march::tests
