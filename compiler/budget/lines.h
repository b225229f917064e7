// What a packet costs: how many lines of memory (64 bytes, bundle/abi/tables.h) are read to judge
// it. A program's time goes there; what it computes in between is small, and the same for all.
#pragma once

#include <cstdint>

#include "compiler/classify/tables.h"
#include "compiler/ruleset/ruleset.h"

namespace march::budget {

// Over a number of packets, each counted once.
struct Reads {
  std::uint64_t packets = 0;
  double mean = 0;
  std::uint32_t most = 0;
};

// Of one address family. Every line is counted that the walk reads, the family's own among them,
// and that of the counter; one that is read twice counts once.
struct LineCount {
  // No packet reads more, by the bounds that the program is compiled with.
  std::uint32_t bound = 0;
  // One packet for every mapping, audits included: from the first address of its source to the
  // first of its destination, at its first protocol and ports.
  Reads mappings;
  // TCP from port 40000 to port 443, from the first and the last address of every interval that
  // some mapping's source begins or ends, to those of every one of the destinations: all pairs, or
  // kMostPairs of them that lie evenly among all.
  Reads pairs;
  std::uint64_t all_pairs = 0;
};

inline constexpr std::uint64_t kMostPairs = std::uint64_t{1} << 18;

LineCount CountLines(space::Family family, const ruleset::RuleSet& rules,
                     const classify::Tables& tables);

// LineCount::bound.
std::uint32_t MostLines(space::Family family, const march_shape& shape);

}  // namespace march::budget
