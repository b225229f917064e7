#include "compiler/classify/pairs.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "bundle/abi/pair_hash.h"
#include "bundle/abi/verdict.h"

namespace march::classify {
namespace {

// A seventh of the places stays free, or too few rows would find one for all their pairs.
std::uint64_t LinesFor(std::size_t pairs) {
  return std::max<std::uint64_t>(1, (pairs * 7 + 47) / 48);
}

// Pairs as words of the table, their leaves put elsewhere where that is needed.
class Encoder {
 public:
  // The words will be at the end of `lines`.
  Encoder(std::uint32_t slot_bits, Lines& lines)
      : slot_bits_(slot_bits), first_word_(lines.Append({})) {}

  // Without the tag.
  std::uint64_t WordOf(std::uint64_t leaf) {
    const std::uint64_t final = (leaf & MARCH_LEAF_FINAL) != 0 ? MARCH_PAIR_FINAL : 0;
    const std::uint64_t kind = MARCH_LEAF_KIND(leaf);
    const auto low = static_cast<std::uint32_t>(leaf);
    if (kind == MARCH_LEAF_RULE) {
      const std::uint64_t set = leaf >> 32 & (MARCH_MAX_SETS - 1);
      const std::uint32_t slot = MARCH_VERDICT_SLOT(low);
      const std::uint64_t action = MARCH_VERDICT_ACTION(low);
      const std::uint64_t rule = (set << 1 | action) << slot_bits_ | slot;
      if (action <= MARCH_ACTION_ALLOW && rule >> MARCH_PAIR_RULE_BITS == 0) {
        return final | Kind(kind) | rule;
      }
    }
    if (kind == MARCH_LEAF_LIST) {
      return final | Kind(kind) | (leaf >> 32 & 0xFF) << MARCH_PAIR_LIST_SHIFT | low;
    }
    return final | Elsewhere(leaf & ~MARCH_LEAF_FINAL);
  }

  // The leaves that are elsewhere.
  const Words& words() const { return words_; }

 private:
  static std::uint64_t Kind(std::uint64_t kind) { return kind << MARCH_PAIR_RULE_BITS; }

  // The number of a word that is `leaf`.
  std::uint32_t Elsewhere(std::uint64_t leaf) {
    const auto [place, is_new] = numbers_.try_emplace(leaf, 0);
    if (is_new) {
      place->second = first_word_ + static_cast<std::uint32_t>(words_.size());
      words_.push_back(leaf);
    }
    return place->second;
  }

  std::uint32_t slot_bits_;
  std::uint32_t first_word_;
  Words words_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
};

class Builder {
 public:
  Builder(const Pairs& pairs, Encoder& encoder)
      : pairs_(pairs),
        encoder_(encoder),
        words_(std::size_t{pairs.lines} * MARCH_LINE_WORDS),
        used_(pairs.lines, 0) {}

  // Places all pairs of a row, or none.
  bool Place(std::uint32_t source, const Row& points) {
    std::size_t placed = 0;
    for (; placed < points.size(); ++placed) {
      std::uint8_t& used = used_[LineOf(KeyOf(source, points[placed]))];
      if (used == MARCH_LINE_WORDS) break;
      ++used;
    }
    if (placed < points.size()) {
      while (placed-- > 0) --used_[LineOf(KeyOf(source, points[placed]))];
      return false;
    }
    for (const Cell& cell : points) {
      const std::uint64_t key = KeyOf(source, cell);
      std::size_t at = LineOf(key) * MARCH_LINE_WORDS;
      while (words_[at] != 0) ++at;
      words_[at] = march_pair_tag(key) << MARCH_PAIR_TAG_SHIFT | encoder_.WordOf(cell.leaf);
    }
    return true;
  }

  const Words& words() const { return words_; }

 private:
  std::uint64_t KeyOf(std::uint32_t source, const Cell& cell) const {
    return march_pair_key(source, cell.first, pairs_.destination_bits, pairs_.bits);
  }
  std::size_t LineOf(std::uint64_t key) const {
    return march_pair_line(key, pairs_.bits, pairs_.lines);
  }

  const Pairs& pairs_;
  Encoder& encoder_;
  Words words_;
  std::vector<std::uint8_t> used_;  // by line
};

bool IsPoint(const Cell& cell) {
  return cell.first == cell.last;
}

std::uint32_t BitsFor(std::uint64_t count) {
  return std::max(1U, static_cast<std::uint32_t>(std::bit_width(count - 1)));
}

// How large the table is; none where tags could only tell its pairs apart if it were far larger
// than they are, and than their classes: few pairs among very many sources or destinations.
void Dimension(std::size_t sources, std::uint32_t destinations, Pairs& pairs) {
  pairs.destination_bits = BitsFor(destinations);
  pairs.bits = pairs.destination_bits + BitsFor(sources * MARCH_PAIR_SALTS);
  const std::uint64_t enough = LinesFor(pairs.count);
  const std::uint64_t lines = std::max(enough, LinesForTags(pairs.bits));
  const std::uint64_t most = std::max(4 * enough, (sources + destinations) / 16);
  if (lines <= most) pairs.lines = static_cast<std::uint32_t>(lines);
}

}  // namespace

std::uint64_t LinesForTags(std::uint32_t bits) {
  constexpr auto kTagBits = static_cast<std::uint32_t>(std::countr_zero(MARCH_PAIR_TAGS));
  // A line has the keys of one part of their range, and up to one more than its share of what
  // march_pair_line looks at, which is 32 bits; with half of the tags there is room for that.
  return bits < kTagBits ? 1 : std::uint64_t{1} << (bits - kTagBits + 1);
}

Pairs TakePairs(Side& source, std::uint32_t destinations, std::uint32_t slots, Lines& lines) {
  Pairs pairs;
  pairs.salt_of.assign(source.records.size(), 0);
  // Every row, in its points and in what else there is.
  std::vector<Row> points(source.rows.size());
  std::vector<Row> rests(source.rows.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const Cell& cell : source.rows[i]) (IsPoint(cell) ? points : rests)[i].push_back(cell);
  }
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < source.records.size(); ++i) {
    const std::size_t count = points[source.records[i].row].size();
    if (count == 0) continue;
    order.push_back(i);
    pairs.count += count;
  }
  if (order.empty()) return pairs;
  Dimension(source.records.size(), destinations, pairs);
  if (pairs.lines == 0) return pairs;
  std::vector<std::uint32_t> rest_of(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    rest_of[i] = rests[i].empty() ? 0 : static_cast<std::uint32_t>(source.rows.size());
    if (!rests[i].empty()) source.rows.push_back(std::move(rests[i]));
  }
  // Long rows first, while there is room everywhere.
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return points[source.records[a].row].size() > points[source.records[b].row].size();
  });
  pairs.slot_bits = BitsFor(slots);
  Encoder encoder(pairs.slot_bits, lines);
  Builder builder(pairs, encoder);
  for (const std::uint32_t i : order) {
    Record& record = source.records[i];
    for (std::uint32_t salt = 0; salt < MARCH_PAIR_SALTS; ++salt) {
      if (!builder.Place(i * MARCH_PAIR_SALTS + salt, points[record.row])) continue;
      pairs.salt_of[i] = salt;
      record.row = rest_of[record.row];
      break;
    }
  }
  lines.Append(encoder.words());
  pairs.first_line = lines.AppendLines(builder.words());
  return pairs;
}

}  // namespace march::classify
