#include "runtime/block/table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <tuple>
#include <utility>

#include "bundle/abi/block.h"

namespace march::block {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

// What a prefix lists within its group, by what comes behind the group's beginning.
struct Piece {
  std::uint64_t begin = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  march_block_level level = MARCH_BLOCK_V4_16;

  bool IsOf(const Piece& group) const { return level == group.level && begin == group.begin; }
};

// Of a prefix that is longer than what its group begins with, of which `bits` of `address` are
// left.
Piece MakePiece(march_block_level level, std::uint64_t begin, std::uint64_t rest, unsigned bits) {
  const std::uint64_t host = bits >= 64 ? 0 : kLast >> bits;
  return {begin, rest & ~host, rest | host, level};
}

Piece PieceOf(const Prefix& prefix) {
  const unsigned length = prefix.length;
  const auto [family, hi, lo] = std::tuple(prefix.family, prefix.hi, prefix.lo);
  if (family == 4 && length < 24) {
    return MakePiece(MARCH_BLOCK_V4_16, lo >> 16, lo << 48, length - 16);
  }
  if (family == 4) return MakePiece(MARCH_BLOCK_V4_24, lo >> 8, lo << 56, length - 24);
  if (length < 32) return MakePiece(MARCH_BLOCK_V6_16, hi >> 48, hi << 16, length - 16);
  if (length < 64) return MakePiece(MARCH_BLOCK_V6_32, hi >> 32, hi << 32, length - 32);
  return MakePiece(MARCH_BLOCK_V6_64, hi, lo, length - 64);
}

bool IsV4(march_block_level level) {
  return level == MARCH_BLOCK_V4_16 || level == MARCH_BLOCK_V4_24;
}

class HalfWriter {
 public:
  HalfWriter(const Half& half, std::uint32_t capacity) : half_(half), capacity_(capacity) {}

  std::uint32_t Write(const std::vector<Prefix>& prefixes) {
    std::fill(half_.filter.begin(), half_.filter.end(), 0);
    std::vector<Piece> pieces;
    pieces.reserve(prefixes.size());
    for (const Prefix& prefix : prefixes) {
      if (prefix.length <= 16) {
        ListTop(prefix);
      } else {
        pieces.push_back(PieceOf(prefix));
      }
    }
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
      return std::tie(a.level, a.begin, a.first) < std::tie(b.level, b.begin, b.first);
    });
    GatherGroups(pieces);
    MarkGroups();
    while (!PlaceGroups()) ++seed_;
    SetFilter();
    return seed_;
  }

 private:
  struct Group {
    std::uint64_t begin = 0;
    std::uint64_t word = 0;
    march_block_level level = MARCH_BLOCK_V4_16;
  };

  // The larger mark holds, but for what is listed as a whole.
  void MarkTop(bool is_v4, std::uint64_t begin, std::uint64_t mark) {
    std::uint64_t& word = half_.filter[(is_v4 ? 0 : MARCH_BLOCK_TOP_WORDS) + begin / 32];
    const std::uint64_t shift = begin % 32 * 2;
    const std::uint64_t before = word >> shift & 3;
    if (before == MARCH_BLOCK_TOP_LISTED || before >= mark) return;
    word += (mark - before) << shift;
  }

  void ListTop(const Prefix& prefix) {
    const std::uint64_t first = prefix.family == 4 ? prefix.lo >> 16 : prefix.hi >> 48;
    const std::uint64_t count = std::uint64_t{1} << (16 - prefix.length);
    for (std::uint64_t i = 0; i < count; ++i) {
      MarkTop(prefix.family == 4, first + i, MARCH_BLOCK_TOP_LISTED);
    }
  }

  // Pieces that hold, meet or touch one another become one.
  void GatherGroups(const std::vector<Piece>& pieces) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> listed;
    for (std::size_t i = 0; i < pieces.size();) {
      const Piece& group = pieces[i];
      listed.clear();
      for (; i < pieces.size() && pieces[i].IsOf(group); ++i) {
        const Piece& piece = pieces[i];
        if (listed.empty() ||
            (listed.back().second != kLast && piece.first > listed.back().second + 1)) {
          listed.emplace_back(piece.first, piece.last);
        } else {
          listed.back().second = std::max(listed.back().second, piece.last);
        }
      }
      groups_.push_back({group.begin, WordOf(group, listed), group.level});
    }
  }

  std::uint64_t WordOf(const Piece& group,
                       const std::vector<std::pair<std::uint64_t, std::uint64_t>>& listed) {
    std::uint64_t word = std::uint64_t{group.level} << MARCH_BLOCK_LEVEL_SHIFT;
    if (IsV4(group.level)) word |= group.begin << MARCH_BLOCK_BEGIN4_SHIFT;
    const unsigned bits = IsV4(group.level) ? 8 : 32;
    // Of one prefix, first and last differ in all bits behind it.
    const auto [first, last] = listed.front();
    const unsigned host = static_cast<unsigned>(std::bit_width(first ^ last));
    const bool is_prefix = listed.size() == 1 && std::popcount(first ^ last) == int(host) &&
                           (first & (first ^ last)) == 0;
    if (is_prefix && host >= 64 - bits) {
      const std::uint64_t free = host - (64 - bits);
      return word | (IsV4(group.level) ? free << 24 | first >> 56 << 16 : free << 32 | first >> 32);
    }
    const std::uint64_t first_key = keys_;
    const auto put = [&](std::uint64_t key) {
      half_.lines[std::size_t{MARCH_BLOCK_KEYS(capacity_)} * MARCH_BLOCK_LINE_WORDS + keys_++] =
          key;
    };
    for (const auto& [begins, ends] : listed) {
      put(begins);
      // What ends with the last address of all ends nowhere.
      if (ends != kLast) put(ends + 1);
    }
    const std::uint64_t count = keys_ - first_key;
    return word | MARCH_BLOCK_KEYED | count << (IsV4(group.level) ? 22 : 32) | first_key;
  }

  void MarkGroups() {
    for (const auto& [begin, word, level] : groups_) {
      const bool is_of_top = level == MARCH_BLOCK_V4_16 || level == MARCH_BLOCK_V6_16;
      const std::uint64_t mark = is_of_top ? MARCH_BLOCK_TOP_GROUP : MARCH_BLOCK_TOP_LONGER;
      MarkTop(IsV4(level), TopOf(level, begin), mark);
    }
  }

  // The first 16 bits.
  static std::uint64_t TopOf(march_block_level level, std::uint64_t begin) {
    switch (level) {
      case MARCH_BLOCK_V4_24:
        return begin >> 8;
      case MARCH_BLOCK_V6_32:
        return begin >> 16;
      case MARCH_BLOCK_V6_64:
        return begin >> 48;
      default:
        return begin;
    }
  }

  // False: some group has no place with this seed.
  bool PlaceGroups() {
    const std::size_t words = std::size_t{MARCH_BLOCK_KEYS(capacity_)} * MARCH_BLOCK_LINE_WORDS;
    std::fill_n(half_.lines.begin(), words, 0);
    return std::all_of(groups_.begin(), groups_.end(),
                       [&](const Group& group) { return Place(group); });
  }

  bool Place(const Group& group) {
    const bool is_v4 = IsV4(group.level);
    const std::uint32_t lines =
        is_v4 ? MARCH_BLOCK_LINES4(capacity_) : MARCH_BLOCK_LINES6(capacity_);
    const std::size_t first = is_v4 ? 0 : MARCH_BLOCK_LINES4(capacity_);
    const std::uint32_t step = is_v4 ? 1 : 2;
    std::size_t line =
        march_block_group_line(march_block_hash(group.begin, group.level, seed_), lines);
    for (std::uint32_t probe = 0; probe < MARCH_BLOCK_PROBES; ++probe) {
      const std::span words =
          half_.lines.subspan((first + line) * MARCH_BLOCK_LINE_WORDS, MARCH_BLOCK_LINE_WORDS);
      for (std::size_t at = step - 1; at < MARCH_BLOCK_LINE_WORDS; at += step) {
        if (words[at] != 0) continue;
        words[at] = group.word;
        if (!is_v4) words[at - 1] = group.begin;
        return true;
      }
      line = (line + 1) % lines;
    }
    return false;
  }

  void SetFilter() {
    for (const auto& [begin, word, level] : groups_) {
      if (level == MARCH_BLOCK_V4_16 || level == MARCH_BLOCK_V6_16) continue;
      Admit(level, begin);
      if (level == MARCH_BLOCK_V6_32) Admit(MARCH_BLOCK_V6_32_ANY, begin);
      if (level == MARCH_BLOCK_V6_64) Admit(MARCH_BLOCK_V6_32_ANY, begin >> 32);
    }
  }

  void Admit(march_block_level level, std::uint64_t begin) {
    const std::uint64_t hash = march_block_hash(begin, level, seed_);
    half_.filter[march_block_filter_word(hash, capacity_)] |= march_block_filter_bits(hash);
  }

  Half half_;
  std::uint32_t capacity_;
  std::uint32_t seed_ = 0;
  std::size_t keys_ = 0;
  std::vector<Group> groups_;
};

}  // namespace

std::uint32_t FillHalf(const Half& half, std::uint32_t capacity,
                       const std::vector<Prefix>& prefixes) {
  return HalfWriter(half, capacity).Write(prefixes);
}

Outcome<LiveTable> LiveTable::Open(int filter_fd, int lines_fd, std::uint32_t capacity) {
  auto filter =
      MapMemory::Open(filter_fd, MARCH_BLOCK_FILTER_WORDS(capacity), "the block list's filter");
  if (!filter.ok()) return std::move(filter).diagnostics();
  auto lines =
      MapMemory::Open(lines_fd, std::size_t{MARCH_BLOCK_LINES(capacity)} * MARCH_BLOCK_LINE_WORDS,
                      "the block list");
  if (!lines.ok()) return std::move(lines).diagnostics();
  return LiveTable(std::move(filter).value(), std::move(lines).value(), capacity);
}

void LiveTable::Publish(const std::vector<Prefix>& prefixes) {
  const std::atomic_ref<std::uint64_t> state(filter_.words()[0]);
  const std::uint64_t other = (state.load(std::memory_order_relaxed) & 1) ^ 1;
  const std::size_t words = MARCH_BLOCK_FILTER_HALF(capacity_);
  const std::size_t lines = std::size_t{MARCH_BLOCK_HALF(capacity_)} * MARCH_BLOCK_LINE_WORDS;
  const Half half{filter_.words().subspan(MARCH_BLOCK_STATE_WORDS + other * words, words),
                  lines_.words().subspan(other * lines, lines)};
  const std::uint64_t seed = FillHalf(half, capacity_, prefixes);
  // Who sees the state sees the half.
  state.store(seed << 32 | other, std::memory_order_release);
}

}  // namespace march::block
