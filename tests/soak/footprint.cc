#include "tests/soak/footprint.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace march::soak {
namespace {

// Caches of marchd's and of its allocator that are not full yet.
constexpr std::uint64_t kMemorySlackKb = 4096;
constexpr std::uint64_t kMemorySlackPercent = 10;

std::uint64_t ResidentKb(const std::string& process) {
  std::ifstream file(process + "/status");
  for (std::string word; file >> word;) {
    std::uint64_t kb = 0;
    if (word == "VmRSS:" && file >> kb) return kb;
  }
  throw std::runtime_error("marchd has ended");
}

std::uint64_t MappedMaps(const std::string& process) {
  std::ifstream file(process + "/maps");
  std::uint64_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.find("bpf-map") != std::string::npos) ++count;
  }
  return count;
}

template <class Directory>
std::uint64_t CountOf(const std::string& directory) {
  std::uint64_t count = 0;
  for (const auto& entry : Directory(directory)) {
    if (!entry.path().empty()) ++count;
  }
  return count;
}

std::uint64_t CountIds(int (*next)(__u32, __u32*)) {
  std::uint64_t count = 0;
  for (__u32 id = 0; next(id, &id) == 0;) ++count;
  return count;
}

}  // namespace

std::string Footprint::ToString() const {
  return "marchd has " + std::to_string(memory_kb) + " kB, " + std::to_string(descriptors) +
         " descriptors, " + std::to_string(mapped) + " mapped maps, " + std::to_string(pins) +
         " pins; the kernel " + std::to_string(maps) + " maps, " + std::to_string(programs) +
         " programs";
}

Footprint Measure(int marchd, const std::string& bpffs) {
  const std::string process = "/proc/" + std::to_string(marchd);
  Footprint footprint;
  footprint.memory_kb = ResidentKb(process);
  footprint.descriptors = CountOf<std::filesystem::directory_iterator>(process + "/fd");
  footprint.mapped = MappedMaps(process);
  footprint.pins = CountOf<std::filesystem::recursive_directory_iterator>(bpffs);
  footprint.maps = CountIds(bpf_map_get_next_id);
  footprint.programs = CountIds(bpf_prog_get_next_id);
  return footprint;
}

Footprint Least(const Footprint& one, const Footprint& other) {
  return {std::min(one.memory_kb, other.memory_kb), std::min(one.descriptors, other.descriptors),
          std::min(one.mapped, other.mapped),       std::min(one.pins, other.pins),
          std::min(one.maps, other.maps),           std::min(one.programs, other.programs)};
}

std::vector<std::string> Growth(const Footprint& before, const Footprint& after) {
  std::vector<std::string> growth;
  const auto compare = [&](const char* what, std::uint64_t had, std::uint64_t has) {
    if (has > had) {
      growth.push_back(std::string(what) + ": " + std::to_string(has) + ", and " +
                       std::to_string(had) + " in the beginning");
    }
  };
  const std::uint64_t memory =
      before.memory_kb + before.memory_kb * kMemorySlackPercent / 100 + kMemorySlackKb;
  if (after.memory_kb > memory) compare("kB of memory", before.memory_kb, after.memory_kb);
  compare("descriptors", before.descriptors, after.descriptors);
  compare("maps in marchd's memory", before.mapped, after.mapped);
  compare("files in the bpffs", before.pins, after.pins);
  compare("maps in the kernel", before.maps, after.maps);
  compare("programs in the kernel", before.programs, after.programs);
  return growth;
}

}  // namespace march::soak
