#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "compiler/classify/find.h"

namespace march::classify {
namespace {

constexpr std::size_t kFanout = MARCH_LONG_KEYS + 1;
// Above this level ranges may be divided as they lie, below it only in equal parts: so many levels
// can a table have more than a balanced one.
constexpr std::uint32_t kFreeLevels = 4;
constexpr std::uint64_t kMostCells = std::uint64_t{1} << 22;

// From `key` on, one half of the address, `value`.
struct Entry {
  std::uint64_t key = 0;
  std::uint32_t value = 0;
};

class Builder {
 public:
  explicit Builder(Lines& lines) : lines_(lines) {}

  // The value that leads on to `count` entries, the first of which also holds below its key.
  std::uint32_t Build(const Entry* entries, std::size_t count, std::uint32_t level,
                      std::uint32_t& depth) {
    if (count == 1) {
      depth = 0;
      return entries[0].value;
    }
    if (count > kFanout && level < kFreeLevels) {
      const Cells cells = CellsFor(entries, count);
      if (cells.crowded * 2 <= count) return BuildSpan(entries, count, cells, level, depth);
      if (level < 2) return BuildLine(entries, count, ByGaps(entries, count), level, depth);
    }
    return BuildLine(entries, count, Evenly(count), level, depth);
  }

 private:
  // The starts of a line's children, the first of them 0.
  using Starts = std::vector<std::size_t>;

  struct Cells {
    std::uint64_t start = 0;
    std::uint32_t shift = 0;
    std::uint64_t last = 0;   // the number of the last cell
    std::size_t crowded = 0;  // entries in cells that one line cannot hold
  };

  static Cells CellsFor(const Entry* entries, std::size_t count) {
    Cells cells;
    cells.start = entries[1].key;
    const std::uint64_t width = entries[count - 1].key - cells.start;
    const std::uint64_t wanted = std::min<std::uint64_t>(std::bit_ceil(count) / 2, kMostCells);
    while (width >> cells.shift >= wanted) ++cells.shift;
    cells.last = width >> cells.shift;
    for (std::size_t i = 1; i < count;) {
      const std::uint64_t cell = (entries[i].key - cells.start) >> cells.shift;
      const std::size_t from = i;
      while (i < count && (entries[i].key - cells.start) >> cells.shift == cell) ++i;
      if (i - from > MARCH_LONG_KEYS) cells.crowded += i - from;
    }
    return cells;
  }

  static Starts Evenly(std::size_t count) {
    std::size_t below = 1;
    for (; below * kFanout < count; below *= kFanout) {
    }
    const std::size_t children = (count + below - 1) / below;
    Starts starts;
    for (std::size_t i = 0; i < children; ++i) starts.push_back(count * i / children);
    return starts;
  }

  // Divided where the widest stretches without entries end.
  static Starts ByGaps(const Entry* entries, std::size_t count) {
    std::vector<std::pair<std::uint64_t, std::size_t>> gaps;
    for (std::size_t i = 2; i < count; ++i) {
      gaps.emplace_back(entries[i].key - entries[i - 1].key, i);
      std::push_heap(gaps.begin(), gaps.end(), std::greater<>());
      if (gaps.size() > MARCH_LONG_KEYS) {
        std::pop_heap(gaps.begin(), gaps.end(), std::greater<>());
        gaps.pop_back();
      }
    }
    Starts starts = {0};
    for (const auto& gap : gaps) starts.push_back(gap.second);
    std::sort(starts.begin(), starts.end());
    return starts;
  }

  std::uint32_t BuildLine(const Entry* entries, std::size_t count, const Starts& starts,
                          std::uint32_t level, std::uint32_t& depth) {
    const std::uint32_t line = lines_.AppendLine();
    for (std::uint32_t i = 0; i < MARCH_LONG_KEYS; ++i) {
      lines_.WordOf(line, i) =
          i + 1 < starts.size() ? entries[starts[i + 1]].key : ~std::uint64_t{0};
    }
    std::uint32_t deepest = 0;
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < kFanout; ++i) {
      if (i < starts.size()) {
        const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : count;
        std::uint32_t child_depth = 0;
        value = Build(entries + starts[i], end - starts[i], level + 1, child_depth);
        deepest = std::max(deepest, child_depth);
      }
      lines_.SetHalf(line, MARCH_LONG_VALUES + i, value);
    }
    depth = deepest + 1;
    return line;
  }

  std::uint32_t BuildSpan(const Entry* entries, std::size_t count, const Cells& cells,
                          std::uint32_t level, std::uint32_t& depth) {
    std::vector<std::uint32_t> values;
    std::vector<Entry> inside;
    std::uint32_t deepest = 0;
    std::size_t next = 1;
    for (std::uint64_t cell = 0; cell <= cells.last; ++cell) {
      const std::uint64_t first = cells.start + (cell << cells.shift);
      // What holds where the cell starts; in the first cell also below.
      inside.assign({entries[next - 1]});
      while (next < count && (entries[next].key - cells.start) >> cells.shift == cell) {
        if (entries[next].key == first && cell != 0) {
          inside[0] = entries[next];
        } else {
          inside.push_back(entries[next]);
        }
        ++next;
      }
      std::uint32_t child_depth = 0;
      values.push_back(Build(inside.data(), inside.size(), level + 1, child_depth));
      deepest = std::max(deepest, child_depth);
    }
    const std::uint32_t base = lines_.AppendHalves(values);
    const std::uint32_t record =
        lines_.Append({cells.start, cells.last << 40 | std::uint64_t{cells.shift} << 32 | base});
    depth = deepest + 1;
    return MARCH_VALUE_SPAN | record / 2;
  }

  Lines& lines_;
};

std::uint64_t High(space::Uint128 value) {
  return static_cast<std::uint64_t>(value >> 64);
}
std::uint64_t Low(space::Uint128 value) {
  return static_cast<std::uint64_t>(value);
}

void Add(std::vector<Entry>& entries, std::uint64_t key, std::uint32_t value) {
  // A class that goes on needs no second entry; a lower table holds for its own key only.
  if (!entries.empty() && entries.back().value == value && (value & MARCH_VALUE_LEAF) != 0) return;
  entries.push_back({key, value});
}

}  // namespace

Find LayOut6(const std::vector<Step>& steps, Lines& lines) {
  const std::uint64_t before = lines.bytes();
  Builder builder(lines);
  Find find;
  std::vector<Entry> upper;
  std::vector<Entry> lower;
  for (std::size_t i = 0; i < steps.size();) {
    const std::uint64_t high = High(steps[i].start);
    // What holds at the start of this upper half.
    const std::uint32_t entering = Low(steps[i].start) == 0 ? steps[i].value : steps[i - 1].value;
    lower.clear();
    Add(lower, 0, entering | MARCH_VALUE_LEAF);
    for (; i < steps.size() && High(steps[i].start) == high; ++i) {
      Add(lower, Low(steps[i].start), steps[i].value | MARCH_VALUE_LEAF);
    }
    if (lower.size() == 1) {
      Add(upper, high, lower[0].value);
      continue;
    }
    std::uint32_t depth = 0;
    Add(upper, high, builder.Build(lower.data(), lower.size(), 0, depth) | MARCH_VALUE_LOW);
    find.report.low_depth = std::max(find.report.low_depth, depth);
    const bool next_starts_there = i < steps.size() && steps[i].start == space::Uint128{high + 1}
                                                                             << 64;
    if (high != ~std::uint64_t{0} && !next_starts_there) {
      Add(upper, high + 1, steps[i - 1].value | MARCH_VALUE_LEAF);
    }
  }
  find.root = builder.Build(upper.data(), upper.size(), 0, find.report.depth);
  find.report.bytes = lines.bytes() - before;
  return find;
}

}  // namespace march::classify
