// Where source classes meet destination classes, of one address family: which rules are looked for
// in rows by source, which in rows by destination, and which in the matrix.
//
// A rule costs one entry for every class of the side whose rows hold it, and every stretch of
// classes of the other. So rules that pin down their source go to rows by source, those that pin
// down their destination to rows by destination, and those that pin down neither to a matrix over
// the few classes that they tell apart. No product of many sources with many destinations is ever
// built.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "compiler/classify/find.h"
#include "compiler/classify/leaves.h"
#include "compiler/classify/partition.h"

namespace march::classify {

struct Cell {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // inclusive
  std::uint64_t leaf = 0;
};

using Row = std::vector<Cell>;  // ascending, disjoint

// What a class has on one side.
struct Record {
  std::uint32_t across = 0;  // its class where rows of the other side look for it
  std::uint32_t matrix = 0;  // its class in the matrix
  std::uint32_t row = 0;     // index into Side::rows

  friend auto operator<=>(const Record&, const Record&) = default;
};

struct Side {
  std::vector<Step> classes;  // values are indices into `records`, or matrix classes without rows
  std::uint32_t class_count = 0;
  std::vector<std::uint32_t> record_of;  // by class
  std::vector<Record> records;           // distinct
  std::vector<Row> rows;                 // distinct; the first is empty
};

// What the rules of a view need at least, as entries of the rows they are in, and as entries of
// rows of the other direction. For those in the matrix: of the cheaper rows, and of the dearer.
struct ViewCost {
  std::uint64_t entries = 0;
  std::uint64_t instead = 0;
};

struct Views {
  std::uint8_t which = 0;  // MARCH_VIEW_*
  // Sources and destinations have the same classes, and records by class: one search table does.
  bool shared = false;
  Side source;
  Side destination;
  Words matrix;
  std::uint32_t width = 0;
  std::uint32_t rules_by_source = 0;
  std::uint32_t rules_by_destination = 0;
  std::uint32_t rules_in_matrix = 0;
  ViewCost by_source;
  ViewCost by_destination;
  ViewCost in_matrix;
};

struct ViewOptions {
  std::uint64_t max_bytes = 0;  // of all that is built here
  // Of a matrix that spares rows altogether, and of one beside rows.
  std::uint64_t small_matrix_bytes = std::uint64_t{32} << 10;
  std::uint64_t large_matrix_bytes = std::uint64_t{1} << 20;
  // Up to how many pairs stand for one entry of a row: the row's record takes the room of some, and
  // a pair is found sooner than what is in rows.
  std::uint32_t most_pairs = 16;
};

// A rule and how many entries it would need at least; or, of rules that overlap too much, in how
// many lists of those that match somewhere together it was when there were too many.
struct Cost {
  std::uint64_t entries = 0;
  std::uint32_t rule = 0;
  bool by_lists = false;
};

// The views, or, if they would be larger than allowed, the rules that cost most, dearest first.
std::variant<Views, std::vector<Cost>> BuildViews(const OrderedRules& rules, space::Family family,
                                                  Leaves& leaves, const ViewOptions& options);

}  // namespace march::classify
