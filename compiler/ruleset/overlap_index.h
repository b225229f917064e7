// Which rules could match a packet in common, without trying all pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ruleset/ruleset.h"
#include "compiler/space/flow.h"

namespace march::ruleset {

// Closed intervals of one axis, each of a rule, and which of them meet another interval: sorted by
// their first point, with the greatest last point of every subtree of an implicit balanced tree (an
// interval tree after Cormen et al., chapter 14.3).
class IntervalIndex {
 public:
  using Point = space::Uint128;

  void Add(Point first, Point last, std::uint32_t rule);
  // Behind the last Add.
  void Build();

  // How many intervals meet [first, last].
  std::size_t Count(Point first, Point last) const;
  // Appends their rules, in no order.
  void Find(Point first, Point last, std::vector<std::uint32_t>& rules) const;

 private:
  struct Entry {
    Point first;
    Point last;
    Point greatest;  // last point in its subtree
    std::uint32_t rule;
  };

  Point BuildTree(std::size_t begin, std::size_t end);
  void Find(std::size_t begin, std::size_t end, Point first, Point last,
            std::vector<std::uint32_t>& rules) const;

  std::vector<Entry> entries_;  // sorted by `first`
  std::vector<Point> lasts_;    // sorted
};

class OverlapIndex {
 public:
  // `rules` must outlive the index.
  explicit OverlapIndex(const std::vector<Rule>& rules);

  // The rules that share a source, a destination or a layer-4 key with `rule`, whichever of the
  // three are fewest: all that could match a packet in common, and some more; without itself, in
  // ascending order.
  std::vector<std::uint32_t> Near(std::uint32_t rule) const;

 private:
  // An interval of one of the axes; `axis` is an index into axes_.
  struct Part {
    std::size_t axis;
    IntervalIndex::Point first;
    IntervalIndex::Point last;
  };
  static constexpr std::size_t kFields = 3;  // source, destination, layer 4
  // The intervals of a rule in a field: those of both families for addresses.
  static std::vector<Part> PartsOf(const Rule& rule, std::size_t field);

  const std::vector<Rule>& rules_;
  std::vector<IntervalIndex> axes_;
};

}  // namespace march::ruleset
