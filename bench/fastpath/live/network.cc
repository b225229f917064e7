#include "bench/fastpath/live/network.h"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/fastpath/fail.h"
#include "bench/fastpath/process.h"
#include "bench/fastpath/workspace.h"

namespace march::bench {
namespace {

constexpr double kToolLimitSeconds = 20;
constexpr const char* kFeed = "feed0";
constexpr const char* kOut = "out0";

bpf::UniqueFd OwnNamespace() {
  bpf::UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) Fail("open the network namespace");
  return fd;
}

void MustRun(const std::vector<std::string>& command) {
  const Finished finished = RunProgram(command, kToolLimitSeconds);
  if (!finished.ok) FailWith(finished.problem);
}

void Sysctl(const std::string& name, const char* value) {
  std::ofstream file("/proc/sys/net/" + name);
  file << value << std::flush;
  if (!file) Fail("set " + name);
}

// A veth takes redirected frames only if its peer has an XDP program or GRO; netfilter has no XDP.
void SwitchGroOn(const std::string& interface) {
  const bpf::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{ETHTOOL_SGRO, 1};
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) Fail("switch on GRO");
}

// /sys shows the interfaces of the namespace that it was mounted in.
bool ServeByThread(const std::string& interface) {
  return RunProgram(
             {"unshare", "-m", "sh", "-c",
              "mount -t sysfs sysfs /sys && echo 1 > /sys/class/net/" + interface + "/threaded"},
             kToolLimitSeconds)
      .ok;
}

}  // namespace

Namespace::Namespace() {
  std::thread([this] {
    if (::unshare(CLONE_NEWNET) != 0) Fail("make a network namespace");
    fd_ = OwnNamespace();
  }).join();
}

Namespace::Inside::Inside(const Namespace& other) : before_(OwnNamespace()) {
  if (::setns(other.fd(), CLONE_NEWNET) != 0) Fail("enter a network namespace");
}

Namespace::Inside::~Inside() {
  if (::setns(before_.get(), CLONE_NEWNET) != 0) Fail("leave a network namespace");
}

Gateway::Gateway() {
  static int number = 0;
  // The kernel's thread is named after the interface, cut to 15 characters; so no two share a name.
  char name[IFNAMSIZ];
  std::snprintf(name, sizeof(name), "m%x%c%c", static_cast<unsigned>(::getpid()) & 0xFFFFF,
                'a' + number / 26 % 26, 'a' + number % 26);
  ++number;
  in_ = name;
  {
    const Namespace::Inside here(outside_);
    Sysctl("ipv6/conf/all/disable_ipv6", "1");
    Sysctl("ipv6/conf/default/disable_ipv6", "1");
    MustRun({"ip",
             "link",
             "add",
             kFeed,
             "address",
             "02:00:00:00:00:01",
             "numtxqueues",
             "1",
             "numrxqueues",
             "1",
             "type",
             "veth",
             "peer",
             "name",
             in_,
             "address",
             "02:00:00:00:00:02",
             "numtxqueues",
             "1",
             "numrxqueues",
             "1",
             "netns",
             "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(inside_.fd())});
    MustRun({"ip", "link", "set", kFeed, "up"});
    feed_index_ = ::if_nametoindex(kFeed);
  }
  const Namespace::Inside here(inside_);
  Sysctl("ipv4/conf/all/rp_filter", "0");
  Sysctl("ipv4/conf/default/rp_filter", "0");
  Sysctl("ipv6/conf/default/accept_dad", "0");
  MustRun({"ip", "link", "add", kOut, "type", "bridge", "mcast_snooping", "0"});
  // Nothing may speak here but the trace, so that counters add up: no groups to report, no routers
  // to look for.
  for (const std::string& interface : {in_, std::string(kOut)}) {
    MustRun(
        {"ip", "link", "set", interface, "addrgenmode", "none", "multicast", "off", "arp", "off"});
  }
  for (const char* family : {"ipv4", "ipv6"}) {
    Sysctl(std::string(family) + "/conf/all/forwarding", "1");
  }
  for (const std::string& interface : {std::string("lo"), in_, std::string(kOut)}) {
    MustRun({"ip", "link", "set", interface, "up"});
  }
  // While it is up: only then the peer learns that it may redirect.
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

InterfaceCounts Gateway::CountsOf(const std::string& interface) const {
  const Namespace::Inside here(inside_);
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t start = line.find_first_not_of(' ');
    if (colon == std::string::npos || line.substr(start, colon - start) != interface) continue;
    // Received: bytes packets errs drop fifo frame compressed multicast; sent: bytes packets ...
    std::istringstream figures(line.substr(colon + 1));
    std::vector<std::uint64_t> values;
    for (std::uint64_t value; figures >> value;) values.push_back(value);
    if (values.size() >= 10) return {values[1], values[3], values[9]};
  }
  FailWith("the interface " + interface + " has no counters");
}

InterfaceCounts Gateway::CountsOfIn() const {
  return CountsOf(in_);
}

InterfaceCounts Gateway::CountsOfOut() const {
  return CountsOf(kOut);
}

std::optional<int> Gateway::ReceiverThread() const {
  const std::string wanted = "napi/" + in_ + "-";
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "comm");
    std::string command;
    std::getline(file, command);
    if (command.compare(0, wanted.size(), wanted) != 0) continue;
    const int thread = std::stoi(name);
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(kReceiverCpu, &cpus);
    if (::sched_setaffinity(thread, sizeof(cpus), &cpus) != 0) return {};
    return thread;
  }
  return {};
}

std::uint64_t CpuNanosecondsOf(int thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/schedstat");
  std::uint64_t nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds;
}

}  // namespace march::bench
