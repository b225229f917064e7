// What marchd holds on to, and what there is in the kernel: none of it may grow with time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace march::soak {

struct Footprint {
  std::uint64_t memory_kb = 0;    // resident
  std::uint64_t descriptors = 0;  // marchd's
  std::uint64_t mapped = 0;       // areas of its memory that are maps of BPF
  std::uint64_t pins = 0;         // files in its bpffs
  std::uint64_t maps = 0;         // of BPF, in the whole system
  std::uint64_t programs = 0;     // likewise

  std::string ToString() const;
};

// Error: std::runtime_error, there is no such process.
Footprint Measure(int marchd, const std::string& bpffs);

// Of each figure the lower one.
Footprint Least(const Footprint& one, const Footprint& other);

// What has grown, a line each.
std::vector<std::string> Growth(const Footprint& before, const Footprint& after);

}  // namespace march::soak
