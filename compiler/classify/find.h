// Address classes laid out for the search (bundle/abi/tables.h): IPv4 and IPv6.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/classify/lines.h"
#include "compiler/space/address.h"

namespace march::classify {

// From `start` on, addresses have `value`: a number below MARCH_VALUE_SPAN.
struct Step {
  space::Uint128 start = 0;
  std::uint32_t value = 0;
};

// How the search of a table came out.
struct FindReport {
  std::uint64_t bytes = 0;
  std::uint32_t depth = 0;      // steps at most, from a cell (IPv4) or from the root (IPv6)
  std::uint32_t low_depth = 0;  // IPv6: steps by the lower half, at most
};

struct Find {
  std::uint32_t root = 0;  // as in march_family
  FindReport report;
};

// How IPv4 addresses are searched.
struct Plan4 {
  std::uint8_t root_bits = 0;
  bool direct = false;  // without cells: one look at memory less
};

// For all tables of a family: without cells where that does not take much more room.
Plan4 PlanFor(std::span<const std::vector<Step>* const> tables);

// `steps` are sorted, the first starts at 0, neighbours differ.
//
// IPv4: from a cell on, at most ceil(log10 of the steps in it) more; a cell, or the line that
// stands for it, is as wide as makes the table smallest.
Find LayOut4(const std::vector<Step>& steps, const Plan4& plan, Lines& lines);
// IPv6: at most 4 + ceil(log6 of the steps) by either half.
Find LayOut6(const std::vector<Step>& steps, Lines& lines);

}  // namespace march::classify
