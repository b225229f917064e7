// One field's equivalence classes: the field cut where the sets that hold it change.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/space/interval_set.h"

namespace march::classify {

struct ClassRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // inclusive

  friend bool operator==(const ClassRange&, const ClassRange&) = default;
};

struct Segment {
  space::Uint128 start = 0;  // reaches to the next segment's start, or the end of the field
  std::uint32_t class_id = 0;
};

// Two values are of one class if the same sets hold them.
struct Partition {
  std::vector<Segment> segments;  // sorted; the first starts at 0; neighbours differ in class
  std::uint32_t classes = 0;
  // By set, what it holds: ascending, disjoint, not touching, and never more than the set has
  // intervals.
  std::vector<std::vector<ClassRange>> ranges;
};

using AddressInterval = space::IntervalSet<space::Uint128>;

// Cuts [0, last]. Classes are numbered in the order in which they first appear: so the classes of
// an interval that are not met before it, follow each other, and those that are, belong to another
// interval of every set that holds the interval. A null set holds nothing.
Partition CutIntoClasses(const std::vector<const AddressInterval*>& sets, space::Uint128 last);

// Where `fine` tells apart all that `coarse` does: the class in `coarse` of every class of `fine`.
std::vector<std::uint32_t> Coarsen(const Partition& fine, const Partition& coarse);

std::uint32_t CountClasses(const std::vector<ClassRange>& ranges);

}  // namespace march::classify
