#include "compiler/classify/pairs.h"

#include <algorithm>
#include <utility>

#include "bundle/abi/pair_hash.h"

namespace march::classify {
namespace {

constexpr std::uint64_t kFree = ~std::uint64_t{0};

// A fifth of the places stays free, or too few rows would find one for all their pairs.
std::size_t LinesFor(std::size_t pairs) {
  return std::max<std::size_t>(1, (pairs * 5 + 15) / 16);
}

class Builder {
 public:
  explicit Builder(std::size_t lines)
      : words_(lines * MARCH_LINE_WORDS),
        used_(lines, 0),
        lines_(static_cast<std::uint32_t>(lines)) {
    for (std::size_t i = 0; i < words_.size(); i += 2) words_[i] = kFree;
  }

  // Places all pairs of a row, or none.
  bool Place(std::uint32_t source, const Row& points) {
    std::size_t placed = 0;
    for (; placed < points.size(); ++placed) {
      std::uint8_t& used = used_[march_pair_line(source, points[placed].first, lines_)];
      if (used == MARCH_ROW_ENTRIES) break;
      ++used;
    }
    if (placed < points.size()) {
      while (placed-- > 0) --used_[march_pair_line(source, points[placed].first, lines_)];
      return false;
    }
    for (const Cell& cell : points) {
      std::size_t at = march_pair_line(source, cell.first, lines_) * MARCH_LINE_WORDS;
      while (words_[at] != kFree) at += 2;
      words_[at] = Pack(source, cell.first);
      words_[at + 1] = cell.leaf;
    }
    return true;
  }

  Words Take() && { return std::move(words_); }

 private:
  Words words_;
  std::vector<std::uint8_t> used_;  // by line
  std::uint32_t lines_;
};

bool IsPoint(const Cell& cell) {
  return cell.first == cell.last;
}

}  // namespace

Pairs TakePairs(Side& source) {
  Pairs pairs;
  pairs.salt_of.assign(source.records.size(), 0);
  // Every row, in its points and in what else there is.
  std::vector<Row> points(source.rows.size());
  std::vector<std::uint32_t> rest_of(source.rows.size());
  const auto rows = static_cast<std::uint32_t>(source.rows.size());
  for (std::uint32_t i = 0; i < rows; ++i) {
    Row rest;
    for (const Cell& cell : source.rows[i]) (IsPoint(cell) ? points[i] : rest).push_back(cell);
    rest_of[i] = rest.empty() ? 0 : static_cast<std::uint32_t>(source.rows.size());
    if (!rest.empty()) source.rows.push_back(std::move(rest));
  }
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < source.records.size(); ++i) {
    const std::size_t count = points[source.records[i].row].size();
    if (count == 0) continue;
    order.push_back(i);
    pairs.count += count;
  }
  if (order.empty()) return pairs;
  // Long rows first, while there is room everywhere.
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return points[source.records[a].row].size() > points[source.records[b].row].size();
  });
  Builder builder(LinesFor(pairs.count));
  for (const std::uint32_t i : order) {
    Record& record = source.records[i];
    for (std::uint32_t salt = 0; salt < MARCH_PAIR_SALTS; ++salt) {
      if (!builder.Place(i * MARCH_PAIR_SALTS + salt, points[record.row])) continue;
      pairs.salt_of[i] = salt;
      record.row = rest_of[record.row];
      break;
    }
  }
  pairs.lines = std::move(builder).Take();
  return pairs;
}

}  // namespace march::classify
