// The ports of TCP and UDP cut into the intervals that rules tell apart.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/rulesets/rulesets.h"

namespace march::bench {

class PortClasses {
 public:
  explicit PortClasses(const std::vector<tests::PlainRule>& rules);

  // Of TCP and UDP only.
  std::uint32_t Of(std::uint8_t protocol, std::uint16_t port) const;
  std::uint32_t count() const { return count_; }
  // A class a port: those of TCP, then those of UDP (BENCH_PORTS).
  const std::vector<std::uint32_t>& table() const { return table_; }

 private:
  std::vector<std::uint32_t> table_;
  std::uint32_t count_ = 0;
};

// Into the map bench_ports of bpf/lpm_maps.h.
void FillPorts(int map, const PortClasses& classes);

}  // namespace march::bench
