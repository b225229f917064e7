#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <unordered_map>

#include "compiler/classify/find.h"

namespace march::classify {
namespace {

constexpr std::uint32_t kFanout = MARCH_SHORT_KEYS + 1;
constexpr std::uint64_t kNoKey = std::uint64_t{1} << MARCH_SHORT_KEY_BITS;
// Wider than any offset in a slot: everything is in the first cell.
constexpr std::uint32_t kOneCell = 31;

// What lines without cells may take more than with them, whatever the size.
constexpr std::uint64_t kSpareBytes = std::uint64_t{16} << 10;

// Part of a cell: from `key` on, the low bits of the address, `value`.
struct Entry {
  std::uint32_t key = 0;
  std::uint32_t value = 0;
};

// Fills in a short line, and the lines behind it, with `entries`; the first one's key does not
// count. Returns how many lines the longest way is.
std::uint32_t FillLine(std::uint32_t line, const Entry* entries, std::size_t count, Lines& lines) {
  std::size_t below = 1;  // what one child can hold
  for (; below * kFanout < count; below *= kFanout) {
  }
  const std::size_t children = (count + below - 1) / below;
  std::array<std::uint64_t, 12> keys{};
  keys.fill(kNoKey);
  std::uint32_t deepest = 0;
  for (std::size_t i = 0; i < children; ++i) {
    const std::size_t from = count * i / children;
    const std::size_t to = count * (i + 1) / children;
    if (i > 0) keys[i - 1] = entries[from].key;
    std::uint32_t value = entries[from].value;
    if (to - from > 1) {
      value = lines.AppendLine();
      deepest = std::max(deepest, FillLine(value, entries + from, to - from, lines));
    }
    lines.SetHalf(line, MARCH_SHORT_VALUES + static_cast<std::uint32_t>(i), value);
  }
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    lines.WordOf(line, i / 4) |= keys[i] << (16 * (i % 4));
  }
  return deepest + 1;
}

// The offsets in each slot of a root at which values change.
class Slots {
 public:
  Slots(const std::vector<Step>& steps, std::uint32_t root_bits)
      : steps_(steps), slot_bits_(32U - root_bits) {}

  // Calls visit(slot, keys) for every slot with keys, ascending.
  template <class Visit>
  void ForEachWithKeys(Visit&& visit) const {
    std::vector<std::uint32_t> keys;
    std::uint64_t slot = 0;
    for (std::size_t i = 1; i <= steps_.size(); ++i) {
      const std::uint64_t start = i < steps_.size() ? StartOf(i) : 0;
      if (!keys.empty() && (i == steps_.size() || start >> slot_bits_ != slot)) {
        visit(slot, keys);
        keys.clear();
      }
      const std::uint64_t offset = start & ((std::uint64_t{1} << slot_bits_) - 1);
      slot = start >> slot_bits_;
      // At the start of a slot, nothing changes within it.
      if (offset != 0) keys.push_back(static_cast<std::uint32_t>(offset));
    }
  }

 private:
  std::uint64_t StartOf(std::size_t i) const { return static_cast<std::uint64_t>(steps_[i].start); }

  const std::vector<Step>& steps_;
  std::uint32_t slot_bits_;
};

struct Width {
  std::uint64_t cost = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t shift = 0;
};

// What a slot would take with cells, or lines, of 2^`shift` addresses. Lines behind lines count
// more than they take: they cost time too.
std::uint64_t CostOf(const std::vector<std::uint32_t>& keys, bool direct, std::uint32_t slot_bits,
                     std::uint32_t shift) {
  const std::uint64_t cells = std::uint64_t{1} << (slot_bits - shift);
  std::uint64_t cost = cells * (direct ? MARCH_LINE_BYTES : sizeof(std::uint32_t));
  for (std::size_t i = 0; i < keys.size();) {
    const std::uint32_t cell = keys[i] >> shift;
    std::size_t inside = 0;
    for (; i < keys.size() && keys[i] >> shift == cell; ++i) {
      if (keys[i] != cell << shift) ++inside;
    }
    if (inside != 0 && !direct) cost += MARCH_LINE_BYTES;
    std::uint64_t behind = 4 * MARCH_LINE_BYTES * (1 + inside / MARCH_SHORT_KEYS);
    for (std::size_t most = kFanout; inside >= most; most *= kFanout) {
      cost += behind;
      behind *= 4;
    }
  }
  return cost;
}

Width WidthFor(const std::vector<std::uint32_t>& keys, bool direct, std::uint32_t slot_bits) {
  Width best;
  for (std::uint32_t shift = std::min(slot_bits, MARCH_SHORT_KEY_BITS);; --shift) {
    const std::uint64_t cells = std::uint64_t{1} << (slot_bits - shift);
    if (cells * (direct ? MARCH_LINE_BYTES : sizeof(std::uint32_t)) > best.cost) break;
    const std::uint64_t cost = CostOf(keys, direct, slot_bits, shift);
    if (cost < best.cost) best = {cost, shift};
    if (shift == 0) break;
  }
  return best;
}

std::uint64_t CostOfTable(const std::vector<Step>& steps, const Plan4& plan) {
  std::uint64_t cost = sizeof(std::uint64_t) << plan.root_bits;
  Slots(steps, plan.root_bits)
      .ForEachWithKeys([&](std::uint64_t, const std::vector<std::uint32_t>& keys) {
        cost += WidthFor(keys, plan.direct, 32U - plan.root_bits).cost;
      });
  return cost;
}

// A root array should not outweigh what is behind it.
std::uint8_t RootBitsFor(std::size_t steps) {
  if (steps < 64) return 8;
  return steps < 2048 ? 10 : 12;
}

// Builds a table, slot by slot.
class Builder {
 public:
  Builder(const std::vector<Step>& steps, const Plan4& plan, Lines& lines)
      : steps_(steps), plan_(plan), slot_bits_(32U - plan.root_bits), lines_(lines) {}

  Find Build() {
    const std::uint64_t before = lines_.bytes();
    std::uint64_t slot = 0;
    Slots(steps_, plan_.root_bits)
        .ForEachWithKeys([&](std::uint64_t with_keys, const std::vector<std::uint32_t>& keys) {
          for (; slot < with_keys; ++slot) AddUniform(slot);
          Add(slot++, WidthFor(keys, plan_.direct, slot_bits_).shift);
        });
    for (; slot < std::uint64_t{1} << plan_.root_bits; ++slot) AddUniform(slot);
    if (!plan_.direct) {
      const std::uint32_t base = lines_.AppendHalves(cells_);
      for (std::uint64_t& word : root_) word += base;
    }
    find_.root = lines_.Append(root_);
    find_.report.bytes = lines_.bytes() - before;
    return find_;
  }

 private:
  std::uint64_t StartOf(std::size_t i) const { return static_cast<std::uint64_t>(steps_[i].start); }
  std::uint32_t ValueAt(std::uint64_t address) {
    while (next_ < steps_.size() && StartOf(next_) <= address) ++next_;
    return steps_[next_ - 1].value | MARCH_VALUE_LEAF;
  }

  // A slot of one value: its cell, or line, is that of all slots with the value.
  void AddUniform(std::uint64_t slot) {
    const std::uint32_t value = ValueAt(slot << slot_bits_);
    const auto [place, is_new] =
        uniform_.try_emplace(value, static_cast<std::uint32_t>(cells_.size()));
    if (is_new && plan_.direct) {
      const Entry entry{0, value};
      place->second = lines_.AppendLine();
      Fill(place->second, {&entry, 1});
    } else if (is_new) {
      cells_.push_back(value);
    }
    root_.push_back(Pack(kOneCell, place->second));
  }

  void Add(std::uint64_t slot, std::uint32_t shift) {
    const std::uint64_t cells = std::uint64_t{1} << (slot_bits_ - shift);
    auto first = static_cast<std::uint32_t>(cells_.size());
    if (plan_.direct) first = lines_.AppendLines(Words(cells * MARCH_LINE_WORDS));
    root_.push_back(Pack(shift, first));
    for (std::uint32_t cell = 0; cell < cells; ++cell) {
      const std::uint64_t begin = (slot << slot_bits_) + (std::uint64_t{cell} << shift);
      entries_.assign({{0, ValueAt(begin)}});
      for (; next_ < steps_.size() && StartOf(next_) < begin + (std::uint64_t{1} << shift);
           ++next_) {
        entries_.push_back({static_cast<std::uint32_t>(StartOf(next_) & (kNoKey - 1)),
                            steps_[next_].value | MARCH_VALUE_LEAF});
      }
      if (plan_.direct) {
        Fill(first + cell, entries_);
      } else if (entries_.size() == 1) {
        cells_.push_back(entries_[0].value);
      } else {
        cells_.push_back(lines_.AppendLine());
        Fill(cells_.back(), entries_);
      }
    }
  }

  void Fill(std::uint32_t line, std::span<const Entry> entries) {
    find_.report.depth =
        std::max(find_.report.depth, FillLine(line, entries.data(), entries.size(), lines_));
  }

  const std::vector<Step>& steps_;
  const Plan4& plan_;
  std::uint32_t slot_bits_;
  Lines& lines_;
  std::size_t next_ = 1;  // the first step that starts behind the place
  Words root_;
  std::vector<std::uint32_t> cells_;
  std::unordered_map<std::uint32_t, std::uint32_t> uniform_;  // cell or line, by value
  std::vector<Entry> entries_;
  Find find_;
};

}  // namespace

Plan4 PlanFor(std::span<const std::vector<Step>* const> tables) {
  const auto cost = [&](const Plan4& plan) {
    std::uint64_t sum = 0;
    for (const auto* steps : tables) sum += CostOfTable(*steps, plan);
    return sum;
  };
  std::size_t most = 0;
  for (const auto* steps : tables) most = std::max(most, steps->size());
  const Plan4 with_cells = {RootBitsFor(most), false};
  Plan4 best = with_cells;
  std::uint64_t least = cost(with_cells) * 5 / 4 + kSpareBytes;
  for (std::uint8_t root_bits = 8; root_bits <= 14; root_bits += 2) {
    const Plan4 plan = {root_bits, true};
    if (const std::uint64_t bytes = cost(plan); bytes < least) {
      least = bytes;
      best = plan;
    }
  }
  return best;
}

Find LayOut4(const std::vector<Step>& steps, const Plan4& plan, Lines& lines) {
  return Builder(steps, plan, lines).Build();
}

}  // namespace march::classify
