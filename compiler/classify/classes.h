// One field's equivalence classes: the field cut where the matching rules change.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/space/interval_set.h"

namespace march::classify {

// Rule numbers in order of precedence.
using RuleIds = std::vector<std::uint32_t>;

struct Segment {
  space::Uint128 start = 0;  // reaches to the next segment's start, or the end of the field
  std::uint32_t class_id = 0;
};

struct Classes {
  std::vector<Segment> segments;  // sorted; the first starts at 0; neighbours differ in class
  std::vector<RuleIds> members;   // by class: the rules that match there
};

// `sets[i]` is what rule i matches in the field, whose highest value is `last`. Classes are
// numbered in the order in which they first appear.
Classes CutIntoClasses(const std::vector<const space::IntervalSet<space::Uint128>*>& sets,
                       space::Uint128 last);

}  // namespace march::classify
