#include "bench/common/machine.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

namespace march::bench {
namespace {

using nlohmann::json;

std::string FirstLine(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

// The value behind the colon of the first line of /proc/cpuinfo that starts so.
std::string CpuInfo(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.compare(0, name.size(), name) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

bool HasFlag(const std::string& flag) {
  return (" " + CpuInfo("flags") + " ").find(" " + flag + " ") != std::string::npos;
}

json Caches() {
  json caches = json::array();
  const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index";
  for (int i = 0;; ++i) {
    const std::string cache = folder + std::to_string(i);
    const std::string size = FirstLine(cache + "/size");  // "512K"
    if (size.empty()) return caches;
    const std::uint64_t unit = size.back() == 'M' ? 1U << 20 : 1U << 10;
    caches.push_back(
        {{"name", "L" + FirstLine(cache + "/level") + " " + FirstLine(cache + "/type")},
         {"bytes", std::stoull(size) * unit},
         {"shared_by_cpus", FirstLine(cache + "/shared_cpu_list")}});
  }
}

}  // namespace

json DescribeMachine() {
  utsname system{};
  ::uname(&system);
  struct sysinfo memory{};
  ::sysinfo(&memory);
  const std::string governor = FirstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return {{"cpu", CpuInfo("model name")},
          {"cpu_family", CpuInfo("cpu family")},
          {"cpu_model", CpuInfo("model\t")},
          {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"virtual_machine", HasFlag("hypervisor")},
          {"kernel", std::string(system.release)},
          {"memory_bytes", std::uint64_t{memory.totalram} * memory.mem_unit},
          {"caches", Caches()},
          {"bpf_jit_enabled", FirstLine("/proc/sys/net/core/bpf_jit_enable")},
          {"cpu_governor", governor.empty() ? "unknown" : governor}};
}

}  // namespace march::bench
