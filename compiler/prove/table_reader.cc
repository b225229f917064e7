#include "compiler/prove/table_reader.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "bundle/abi/pair_hash.h"
#include "bundle/abi/verdict.h"

namespace march::prove {
namespace {

using space::Family;
using space::Uint128;

std::uint32_t Lower(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
std::uint32_t Upper(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32);
}

std::uint32_t HalfOf(const std::uint64_t* line, std::size_t half) {
  const std::uint64_t word = line[half / 2];
  return half % 2 == 0 ? Lower(word) : Upper(word);
}

constexpr std::uint32_t kUnusedKey = 1U << MARCH_SHORT_KEY_BITS;

// The key in one of the twelve lanes of a short line.
std::uint32_t KeyOf(const std::uint64_t* line, unsigned lane) {
  return static_cast<std::uint32_t>(line[lane / 4] >> (lane % 4 * 16)) & 0xFFFF;
}

bool HasNoKeys(const std::uint64_t* line) {
  for (unsigned lane = 0; lane < 12; ++lane) {
    if (KeyOf(line, lane) != kUnusedKey) return false;
  }
  return true;
}

}  // namespace

// The ranges found so far.
struct TableReader::Search {
  const march_family_shape& bounds;
  Fault& fault;
  std::vector<AddressRange> ranges;

  void Add(Uint128 first, Uint128 last, std::uint32_t value) {
    if (ranges.size() == kMostRanges) {
      fault.Raise("divide the addresses of one side into more than " + std::to_string(kMostRanges) +
                  " ranges");
      return;
    }
    ranges.push_back({first, last, value & ~MARCH_VALUE_LEAF});
  }
  void TooDeep() { fault.Raise("search an address in more steps than their shape says"); }
};

TableReader::TableReader(std::span<const std::uint64_t> words, Fault& fault) : words_(words) {
  constexpr std::size_t kHeaderLines = 4;
  if (words.size() < kHeaderLines * MARCH_LINE_WORDS || words.size() % MARCH_LINE_WORDS != 0) {
    fault.Raise("are no whole lines with a header");
    return;
  }
  std::memcpy(&header_, words.data(), sizeof(header_));
  std::memcpy(&v4_, words.data() + MARCH_LINE_WORDS, sizeof(v4_));
  std::memcpy(&v6_, words.data() + 2 * std::size_t{MARCH_LINE_WORDS}, sizeof(v6_));
  std::memcpy(&shape_, words.data() + 3 * std::size_t{MARCH_LINE_WORDS}, sizeof(shape_));
  if (header_.magic != MARCH_TABLES_MAGIC || header_.version != MARCH_TABLES_VERSION ||
      header_.lines != words.size() / MARCH_LINE_WORDS) {
    fault.Raise("have a header that does not fit them");
  }
  for (const march_family_shape& bounds : {shape_.v4, shape_.v6}) {
    if ((bounds.views & MARCH_VIEW_PAIRS) != 0 && (bounds.views & MARCH_VIEW_SOURCE) == 0) {
      fault.Raise("have pairs without rows by source");
    }
  }
}

std::uint64_t TableReader::Word(std::uint64_t number, Fault& fault) const {
  if (number < words_.size()) return words_[number];
  fault.Raise("point to word " + std::to_string(number) + ", behind their end");
  return 0;
}

std::uint32_t TableReader::Half(std::uint64_t number, Fault& fault) const {
  const std::uint64_t word = Word(number / 2, fault);
  return number % 2 == 0 ? Lower(word) : Upper(word);
}

const std::uint64_t* TableReader::Line(std::uint64_t number, Fault& fault) const {
  if (number < words_.size() / MARCH_LINE_WORDS) return &words_[number * MARCH_LINE_WORDS];
  fault.Raise("point to line " + std::to_string(number) + ", behind their end");
  return nullptr;
}

std::uint64_t TableReader::TreatmentOf(std::uint32_t slot, Fault& fault) const {
  if (header_.treatments == 0) return 0;
  return Word(std::uint64_t{header_.treatments} + slot - MARCH_SLOT_DEFAULT, fault);
}

march_limit TableReader::Limit(std::uint64_t number, Fault& fault) const {
  march_limit limit{};
  if (number >= header_.limit_count) {
    fault.Raise("have no limit " + std::to_string(number));
    return limit;
  }
  const std::uint64_t* line = Line(header_.limits + number, fault);
  if (line != nullptr) std::memcpy(&limit, line, sizeof(limit));
  return limit;
}

std::vector<AddressRange> TableReader::Sources(Family family, Fault& fault) const {
  return Ranges(family, PlaceOf(family).source, fault);
}

std::vector<AddressRange> TableReader::Destinations(Family family, Fault& fault) const {
  return Ranges(family, PlaceOf(family).destination, fault);
}

std::vector<AddressRange> TableReader::Ranges(Family family, std::uint32_t root,
                                              Fault& fault) const {
  Search search{BoundsOf(family), fault, {}};
  if (search.bounds.views == 0) {
    // Nothing is looked up.
    search.Add(0, space::LastOf(family), 0);
  } else if (family == Family::kV4) {
    Read4(root, search);
  } else {
    Descend6(root, 0, ~std::uint64_t{0}, search.bounds.depth, search);
  }
  return std::move(search.ranges);
}

void TableReader::Read4(std::uint32_t root, Search& search) const {
  const unsigned root_bits = search.bounds.root_bits;
  if (root_bits > 24) {
    search.fault.Raise("have a root of " + std::to_string(root_bits) + " bits");
    return;
  }
  const unsigned rest_bits = 32 - root_bits;
  for (std::uint64_t i = 0; i < std::uint64_t{1} << root_bits && !search.fault.raised(); ++i) {
    const std::uint64_t word = Word(root + i, search.fault);
    const std::uint32_t cell_bits = Upper(word);
    if (cell_bits > 31) return search.fault.Raise("have a cell wider than the address");
    // One cell may span more than there is.
    const unsigned width = std::min(cell_bits, rest_bits);
    for (std::uint64_t j = 0; j < std::uint64_t{1} << (rest_bits - width); ++j) {
      const std::uint64_t first = (i << rest_bits) + (j << width);
      const std::uint64_t last = first + (std::uint64_t{1} << width) - 1;
      const std::uint64_t cell = std::uint64_t{Lower(word)} + j;
      // Without cells, the word leads to lines.
      const std::uint32_t value = search.bounds.direct == 0
                                      ? Half(cell, search.fault)
                                      : static_cast<std::uint32_t>(cell & ~MARCH_VALUE_LEAF);
      Descend4(value, Lower(first), Lower(last), search.bounds.depth, search);
      if (search.fault.raised()) return;
    }
  }
}

void TableReader::Descend4(std::uint32_t value, std::uint32_t first, std::uint32_t last,
                           unsigned steps, Search& search) const {
  if ((value & MARCH_VALUE_LEAF) != 0) return search.Add(first, last, value);
  if (steps == 0) return search.TooDeep();
  const std::uint64_t* line = Line(value, search.fault);
  if (line == nullptr) return;
  if (HasNoKeys(line)) {
    return Descend4(HalfOf(line, MARCH_SHORT_VALUES), first, last, steps - 1, search);
  }
  // A line looks at the low bits only.
  constexpr std::uint32_t kLowBits = (1U << MARCH_SHORT_KEY_BITS) - 1;
  for (std::uint64_t at = first; at <= last && !search.fault.raised();) {
    const auto end = std::min(last, static_cast<std::uint32_t>(at) | kLowBits);
    DescendShort(line, static_cast<std::uint32_t>(at), end, steps - 1, search);
    at = std::uint64_t{end} + 1;
  }
}

void TableReader::DescendShort(const std::uint64_t* line, std::uint32_t first, std::uint32_t last,
                               unsigned steps, Search& search) const {
  std::array<std::uint32_t, MARCH_SHORT_KEYS + 1> keys{};
  std::size_t count = 0;
  for (unsigned lane = 0; lane < 12; ++lane) {
    const std::uint32_t key = KeyOf(line, lane);
    if (key == kUnusedKey) continue;
    if (key > kUnusedKey || count == MARCH_SHORT_KEYS || (count != 0 && keys[count - 1] >= key)) {
      return search.fault.Raise("have a line of IPv4 keys that are not keys in ascending order");
    }
    keys[count++] = key;
  }
  // The range that begins behind `i` keys ends before the next.
  const std::uint32_t base = first & ~(kUnusedKey - 1);
  for (std::size_t i = 0; i <= count && !search.fault.raised(); ++i) {
    const std::uint32_t from = std::max(first, base + (i == 0 ? 0 : keys[i - 1]));
    const std::uint64_t to =
        std::min<std::uint64_t>(last, std::uint64_t{base} + (i < count ? keys[i] : kUnusedKey) - 1);
    if (i < count && keys[i] == 0) continue;
    if (from > to) continue;
    Descend4(HalfOf(line, MARCH_SHORT_VALUES + i), from, static_cast<std::uint32_t>(to), steps,
             search);
  }
}

// Calls next(first, last, value) for what the line or span of `value` divides [first, last] into.
template <class Next>
void TableReader::Divide6(std::uint32_t value, std::uint64_t first, std::uint64_t last,
                          Search& search, Next&& next) const {
  const std::uint64_t index = value & MARCH_VALUE_INDEX;
  if ((value & MARCH_VALUE_SPAN) != 0) {
    const std::uint64_t start = Word(2 * index, search.fault);
    const std::uint64_t span = Word(2 * index + 1, search.fault);
    const unsigned bits = static_cast<unsigned>(span >> 32) & 0xFF;
    const std::uint64_t last_cell = span >> 40;
    if (bits > 63) return search.fault.Raise("have a span of cells wider than the address");
    for (Uint128 at = first; at <= last && !search.fault.raised();) {
      const std::uint64_t cell =
          at < start ? 0
                     : std::min<std::uint64_t>((static_cast<std::uint64_t>(at) - start) >> bits,
                                               last_cell);
      const Uint128 beyond =
          cell == last_cell ? Uint128{1} << 64 : Uint128{start} + (Uint128{cell + 1} << bits);
      const auto end = static_cast<std::uint64_t>(std::min<Uint128>(last, beyond - 1));
      next(static_cast<std::uint64_t>(at), end,
           Half(std::uint64_t{Lower(span)} + cell, search.fault));
      at = Uint128{end} + 1;
    }
    return;
  }
  const std::uint64_t* line = Line(index, search.fault);
  if (line == nullptr) return;
  if (!std::is_sorted(line, line + MARCH_LONG_KEYS)) {
    return search.fault.Raise("have a line of IPv6 keys that do not ascend");
  }
  for (Uint128 at = first; at <= last && !search.fault.raised();) {
    const auto key = static_cast<std::uint64_t>(at);
    const std::uint64_t* above = std::upper_bound(line, line + MARCH_LONG_KEYS, key);
    const std::uint64_t end = above == line + MARCH_LONG_KEYS ? last : std::min(last, *above - 1);
    next(key, end, HalfOf(line, MARCH_LONG_VALUES + static_cast<std::size_t>(above - line)));
    at = Uint128{end} + 1;
  }
}

void TableReader::Descend6(std::uint32_t value, std::uint64_t first, std::uint64_t last,
                           unsigned steps, Search& search) const {
  if ((value & MARCH_VALUE_LEAF) != 0) {
    return search.Add(Uint128{first} << 64, Uint128{last} << 64 | ~std::uint64_t{0}, value);
  }
  if ((value & MARCH_VALUE_LOW) != 0) {
    if (first != last) {
      return search.fault.Raise("search several upper halves of IPv6 addresses in one lower half");
    }
    return DescendLow(value, first, 0, ~std::uint64_t{0}, search.bounds.low_depth, search);
  }
  if (steps == 0) return search.TooDeep();
  Divide6(value, first, last, search,
          [&](std::uint64_t from, std::uint64_t to, std::uint32_t found) {
            Descend6(found, from, to, steps - 1, search);
          });
}

void TableReader::DescendLow(std::uint32_t value, std::uint64_t upper, std::uint64_t first,
                             std::uint64_t last, unsigned steps, Search& search) const {
  if ((value & MARCH_VALUE_LEAF) != 0) {
    const Uint128 base = Uint128{upper} << 64;
    return search.Add(base | first, base | last, value);
  }
  if (steps == 0) return search.TooDeep();
  Divide6(value, first, last, search,
          [&](std::uint64_t from, std::uint64_t to, std::uint32_t found) {
            DescendLow(found, upper, from, to, steps - 1, search);
          });
}

std::uint64_t TableReader::FindPair(const march_family& place, std::uint32_t source,
                                    std::uint32_t destination, Fault& fault) const {
  const std::uint32_t bits = place.pair_bits;
  const std::uint32_t destination_bits = place.pair_destination_bits;
  if (destination_bits == 0 || destination_bits > 32 || bits <= destination_bits || bits > 63 ||
      destination >> (destination_bits - 1) > 1 ||
      std::uint64_t{source} >> (bits - destination_bits) != 0) {
    fault.Raise("have pairs of classes with numbers wider than they say");
    return 0;
  }
  const std::uint64_t key = march_pair_key(source, destination, destination_bits, bits);
  const std::uint64_t* line =
      Line(place.pairs + march_pair_line(key, bits, place.pair_lines), fault);
  if (line == nullptr) return 0;
  std::uint64_t pair = 0;
  for (std::size_t i = 0; i < MARCH_LINE_WORDS; ++i) {
    if (line[i] == 0 || line[i] >> MARCH_PAIR_TAG_SHIFT != march_pair_tag(key)) continue;
    if (pair != 0) fault.Raise("have two entries for one pair of classes");
    pair = line[i];
  }
  return pair == 0 ? 0 : LeafOfPair(place, pair, fault);
}

// The leaf that an entry of the table of pairs stands for.
std::uint64_t TableReader::LeafOfPair(const march_family& place, std::uint64_t pair,
                                      Fault& fault) const {
  const std::uint64_t final = (pair & MARCH_PAIR_FINAL) != 0 ? MARCH_LEAF_FINAL : 0;
  const std::uint64_t number = pair % MARCH_PAIR_WORDS;
  switch (MARCH_PAIR_KIND(pair)) {
    case MARCH_LEAF_NONE: {
      const std::uint64_t leaf = Word(number, fault);
      if (MARCH_LEAF_KIND(leaf) == MARCH_LEAF_NONE) fault.Raise("have a pair without a leaf");
      return leaf | final;
    }
    case MARCH_LEAF_RULE: {
      if (place.pair_slot_bits > 24) fault.Raise("have pairs with slots wider than a verdict's");
      const std::uint64_t slots = std::uint64_t{1} << (place.pair_slot_bits % 32);
      const std::uint64_t rule = pair % (std::uint64_t{1} << MARCH_PAIR_RULE_BITS);
      const std::uint32_t action = rule / slots % 2 != 0 ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY;
      return std::uint64_t{MARCH_LEAF_RULE} << 62 | final | rule / slots / 2 << 32 |
             std::uint64_t{MARCH_VERDICT(action, Lower(rule % slots))};
    }
    case MARCH_LEAF_LIST:
      return std::uint64_t{MARCH_LEAF_LIST} << 62 | final |
             (pair >> MARCH_PAIR_LIST_SHIFT & 0xF) << 32 | number;
    default:
      fault.Raise("have a pair of an unknown kind");
      return 0;
  }
}

// Among `count` entries of two words, the one that holds the class.
std::uint64_t TableReader::FindEntry(const std::uint64_t* entries, std::size_t count,
                                     std::uint32_t class_id, Fault& fault) {
  std::uint64_t leaf = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t range = entries[2 * i];
    const std::uint32_t first = Upper(range);
    if (first == MARCH_NO_CLASS) continue;
    const bool follows = i == 0 || Lower(entries[2 * i - 2]) < first;
    if (Lower(range) < first || !follows) fault.Raise("have entries of a row out of order");
    if (first <= class_id && class_id <= Lower(range)) leaf = entries[2 * i + 1];
  }
  return leaf;
}

std::uint64_t TableReader::FindInRow(const std::uint64_t* record, std::uint32_t class_id,
                                     unsigned levels, Fault& fault) const {
  const std::uint64_t fence = record[1];
  if (class_id < Upper(fence)) {
    return FindEntry(record + 2, MARCH_RECORD_ENTRIES, class_id, fault);
  }
  const unsigned tail = static_cast<unsigned>(fence >> 28) & 15;
  if (tail == 0 || tail > levels) {
    fault.Raise("have a row with a tail of " + std::to_string(tail) + " levels");
    return 0;
  }
  std::uint64_t at = fence & (MARCH_TAIL_LINES - 1);
  for (unsigned level = 1; level < tail; ++level) {
    const std::uint64_t* line = Line(at, fault);
    if (line == nullptr) return 0;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < MARCH_FENCES; ++i) {
      if (HalfOf(line, 2 + i) <= class_id) ++below;
    }
    at = Lower(line[0]) + below;
  }
  const std::uint64_t* line = Line(at, fault);
  return line == nullptr ? 0 : FindEntry(line, MARCH_ROW_ENTRIES, class_id, fault);
}

MetLeaves TableReader::Meet(Family family, std::uint32_t source, std::uint32_t destination,
                            Fault& fault) const {
  const march_family& place = PlaceOf(family);
  const march_family_shape& bounds = BoundsOf(family);
  MetLeaves leaves{};
  if ((bounds.views & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0) {
    // Where both sides have one search, destinations have the classes of sources.
    if (bounds.shared != 0) destination /= MARCH_PAIR_SALTS;
    if ((bounds.views & MARCH_VIEW_PAIRS) != 0) {
      leaves[0] = FindPair(place, source, destination, fault);
      if ((leaves[0] & MARCH_LEAF_FINAL) != 0) return leaves;
    }
    const std::uint64_t* from =
        Line(Half(std::uint64_t{place.source_records} + source / MARCH_PAIR_SALTS, fault), fault);
    if (from == nullptr) return leaves;
    if ((bounds.views & MARCH_VIEW_SOURCE) != 0 && leaves[0] == 0) {
      leaves[0] = FindInRow(from, destination, bounds.source_tail, fault);
      if ((leaves[0] & MARCH_LEAF_FINAL) != 0) return leaves;
    }
    if ((bounds.views & (MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX)) == 0) return leaves;
    const std::uint64_t* to =
        Line(Half(std::uint64_t{place.destination_records} + destination, fault), fault);
    if (to == nullptr) return leaves;
    if ((bounds.views & MARCH_VIEW_DESTINATION) != 0) {
      leaves[1] = FindInRow(to, Upper(from[0]), bounds.destination_tail, fault);
      if ((leaves[1] & MARCH_LEAF_FINAL) != 0) return leaves;
    }
    source = Lower(from[0]);
    destination = Lower(to[0]);
  }
  if ((bounds.views & MARCH_VIEW_MATRIX) != 0) {
    if (destination >= place.width) fault.Raise("have a class beyond the width of their matrix");
    leaves[2] = Word(place.matrix + std::uint64_t{source} * place.width + destination, fault);
  }
  return leaves;
}

}  // namespace march::prove
