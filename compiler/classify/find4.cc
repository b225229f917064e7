#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>

#include "compiler/classify/find.h"

namespace march::classify {
namespace {

constexpr std::uint32_t kFanout = MARCH_SHORT_KEYS + 1;
constexpr std::uint64_t kNoKey = std::uint64_t{1} << MARCH_SHORT_KEY_BITS;
// Wider than any offset in a slot: everything is in the first cell.
constexpr std::uint32_t kOneCell = 31;

// Part of a cell: from `key` on, the low bits of the address, `value`.
struct Entry {
  std::uint32_t key = 0;
  std::uint32_t value = 0;
};

// The value of one short line, or of a tree of them, that holds `entries`; the first one's key does
// not count. `depth` becomes the number of lines on the longest way.
std::uint32_t BuildTree(const Entry* entries, std::size_t count, Lines& lines,
                        std::uint32_t& depth) {
  if (count == 1) return entries[0].value;
  std::size_t below = 1;  // what one child can hold
  for (; below * kFanout < count; below *= kFanout) {
  }
  const std::size_t children = (count + below - 1) / below;
  const std::uint32_t line = lines.AppendLine();
  std::array<std::uint64_t, 12> keys{};
  keys.fill(kNoKey);
  std::uint32_t deepest = 0;
  for (std::size_t i = 0; i < children; ++i) {
    const std::size_t from = count * i / children;
    const std::size_t to = count * (i + 1) / children;
    if (i > 0) keys[i - 1] = entries[from].key;
    std::uint32_t child_depth = 0;
    const std::uint32_t value = BuildTree(entries + from, to - from, lines, child_depth);
    deepest = std::max(deepest, child_depth);
    lines.SetHalf(line, MARCH_SHORT_VALUES + static_cast<std::uint32_t>(i), value);
  }
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    lines.WordOf(line, i / 4) |= keys[i] << (16 * (i % 4));
  }
  depth = deepest + 1;
  return line;
}

// What a slot would take with cells of 2^`shift` addresses, where `keys` are the offsets at which
// values change. Lines behind lines count more than they take: they cost time too.
std::uint64_t CostOf(const std::vector<std::uint32_t>& keys, std::uint32_t slot_bits,
                     std::uint32_t shift) {
  std::uint64_t cost = (std::uint64_t{1} << (slot_bits - shift)) * sizeof(std::uint32_t);
  for (std::size_t i = 0; i < keys.size();) {
    const std::uint32_t cell = keys[i] >> shift;
    std::size_t inside = 0;
    for (; i < keys.size() && keys[i] >> shift == cell; ++i) {
      if (keys[i] != cell << shift) ++inside;
    }
    if (inside == 0) continue;
    cost += MARCH_LINE_BYTES;
    if (inside >= kFanout) cost += 4 * MARCH_LINE_BYTES * (1 + inside / MARCH_SHORT_KEYS);
  }
  return cost;
}

std::uint32_t ShiftFor(const std::vector<std::uint32_t>& keys, std::uint32_t slot_bits) {
  std::uint32_t best = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (std::uint32_t shift = 0; shift <= std::min(slot_bits, MARCH_SHORT_KEY_BITS); ++shift) {
    const std::uint64_t cost = CostOf(keys, slot_bits, shift);
    if (cost <= least) {
      least = cost;
      best = shift;
    }
  }
  return best;
}

}  // namespace

std::uint8_t RootBitsFor(std::size_t steps) {
  if (steps < 64) return 8;
  return steps < 2048 ? 10 : 12;
}

Find LayOut4(const std::vector<Step>& steps, std::uint8_t root_bits, Lines& lines) {
  const std::uint64_t before = lines.bytes();
  const std::uint32_t slot_bits = 32U - root_bits;
  Find find;
  Words root;
  std::vector<std::uint32_t> cells;
  std::unordered_map<std::uint32_t, std::uint32_t> uniform;  // cells of whole slots, by value
  std::size_t next = 1;  // the first step that starts behind the place
  std::vector<std::uint32_t> keys;
  std::vector<Entry> entries;
  for (std::uint64_t slot = 0; slot < std::uint64_t{1} << root_bits; ++slot) {
    const std::uint64_t first = slot << slot_bits;
    const std::uint64_t end = first + (std::uint64_t{1} << slot_bits);
    const auto start_of = [&](std::size_t i) { return static_cast<std::uint64_t>(steps[i].start); };
    while (next < steps.size() && start_of(next) <= first) ++next;
    std::size_t behind = next;
    keys.clear();
    for (; behind < steps.size() && start_of(behind) < end; ++behind) {
      keys.push_back(static_cast<std::uint32_t>(start_of(behind) - first));
    }
    if (keys.empty()) {
      const std::uint32_t value = steps[next - 1].value | MARCH_VALUE_LEAF;
      const auto [cell, is_new] =
          uniform.try_emplace(value, static_cast<std::uint32_t>(cells.size()));
      if (is_new) cells.push_back(value);
      root.push_back(Pack(kOneCell, cell->second));
      continue;
    }
    const std::uint32_t shift = ShiftFor(keys, slot_bits);
    root.push_back(Pack(shift, static_cast<std::uint32_t>(cells.size())));
    for (std::uint64_t cell = 0; cell < std::uint64_t{1} << (slot_bits - shift); ++cell) {
      const std::uint64_t cell_first = first + (cell << shift);
      const std::uint64_t cell_end = cell_first + (std::uint64_t{1} << shift);
      while (next < steps.size() && start_of(next) <= cell_first) ++next;
      entries.assign({{0, steps[next - 1].value | MARCH_VALUE_LEAF}});
      for (; next < steps.size() && start_of(next) < cell_end; ++next) {
        entries.push_back({static_cast<std::uint32_t>(start_of(next) & (kNoKey - 1)),
                           steps[next].value | MARCH_VALUE_LEAF});
      }
      std::uint32_t depth = 0;
      cells.push_back(BuildTree(entries.data(), entries.size(), lines, depth));
      find.report.depth = std::max(find.report.depth, depth);
    }
  }
  const std::uint32_t base = lines.AppendHalves(cells);
  for (std::uint64_t& word : root) word += base;
  find.root = lines.Append(root);
  find.report.bytes = lines.bytes() - before;
  return find;
}

}  // namespace march::classify
