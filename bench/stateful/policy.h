// The policy that lets the clients of a FlowSpace talk to its servers, compiled.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "bench/stateful/flows.h"

namespace march::bench {

struct PolicyOptions {
  std::uint32_t mappings = 1;  // a power of two; each allows to an equal part of the servers
  std::string attributes;      // of each mapping, ", stateful: false" say

  auto operator<=>(const PolicyOptions&) const = default;
};

struct Policy {
  std::string object;  // the bundle's fastpath/xdp.o
  std::string tables;
  std::uint32_t slots = 0;
  std::uint64_t instructions = 0;  // of the BPF program
};

// Compiled once and kept. Errors end the program.
const Policy& MakePolicy(const PolicyOptions& options);

}  // namespace march::bench
