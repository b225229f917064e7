#include "bench/common/network.h"

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

#include "bench/common/fail.h"
#include "bench/common/process.h"

namespace march::bench {
namespace {

constexpr double kToolLimitSeconds = 20;

bpf::UniqueFd OwnNamespace() {
  bpf::UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) Fail("open the network namespace");
  return fd;
}

}  // namespace

Namespace::Namespace() {
  std::thread([this] {
    if (::unshare(CLONE_NEWNET) != 0) Fail("make a network namespace");
    fd_ = OwnNamespace();
  }).join();
}

Namespace Namespace::OfThisThread() {
  return Namespace(OwnNamespace());
}

Namespace::Inside::Inside(const Namespace& other) : before_(OwnNamespace()) {
  if (::setns(other.fd(), CLONE_NEWNET) != 0) Fail("enter a network namespace");
}

Namespace::Inside::~Inside() {
  if (::setns(before_.get(), CLONE_NEWNET) != 0) Fail("leave a network namespace");
}

InterfaceCounts CountsOf(const Namespace& place, const std::string& interface) {
  const Namespace::Inside here(place);
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t start = line.find_first_not_of(' ');
    if (colon == std::string::npos || line.substr(start, colon - start) != interface) continue;
    // Received: bytes packets errs drop fifo frame compressed multicast; sent: bytes packets ...
    std::istringstream figures(line.substr(colon + 1));
    std::vector<std::uint64_t> values;
    for (std::uint64_t value; figures >> value;) values.push_back(value);
    if (values.size() >= 12) return {values[1], values[3], values[9], values[11]};
  }
  FailWith("the interface " + interface + " has no counters");
}

void MakeVeth(const VethEnd& one, const VethEnd& other) {
  const Namespace::Inside here(one.place);
  const std::string place =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(other.place.fd());
  MustRun({"ip",          "link",        "add",         one.name,  "address", one.mac,
           "numtxqueues", "1",           "numrxqueues", "1",       "type",    "veth",
           "peer",        "name",        other.name,    "address", other.mac, "numtxqueues",
           "1",           "numrxqueues", "1",           "netns",   place});
}

std::string NewInterfaceName() {
  static int number = 0;
  char name[IFNAMSIZ];
  std::snprintf(name, sizeof(name), "m%x%c%c", static_cast<unsigned>(::getpid()) & 0xFFFFF,
                'a' + number / 26 % 26, 'a' + number % 26);
  ++number;
  return name;
}

// /sys shows the interfaces of the namespace that it was mounted in.
bool ServeByThread(const std::string& interface) {
  return RunProgram(
             {"unshare", "-m", "sh", "-c",
              "mount -t sysfs sysfs /sys && echo 1 > /sys/class/net/" + interface + "/threaded"},
             kToolLimitSeconds)
      .ok;
}

std::optional<int> ServingThread(const std::string& interface, unsigned cpu) {
  const std::string wanted = "napi/" + interface + "-";
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
    CPU_SET(cpu, &cpus);
    if (::sched_setaffinity(thread, sizeof(cpus), &cpus) != 0) return {};
    return thread;
  }
  return {};
}

void SwitchGroOn(const std::string& interface) {
  const bpf::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{ETHTOOL_SGRO, 1};
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) Fail("switch on GRO");
}

void MustRun(const std::vector<std::string>& command) {
  const Finished finished = RunProgram(command, kToolLimitSeconds);
  if (!finished.ok) FailWith(finished.problem);
}

void Sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/net/" + name);
  file << value << std::flush;
  if (!file) Fail("set " + name);
}

void Silence(const std::string& interface) {
  MustRun(
      {"ip", "link", "set", interface, "addrgenmode", "none", "multicast", "off", "arp", "off"});
}

std::uint64_t CpuNanosecondsOf(int thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/schedstat");
  std::uint64_t nanoseconds = 0;
  file >> nanoseconds;
  return nanoseconds;
}

}  // namespace march::bench
