#include <cstdio>
#include <cstring>
#include <functional>
#include <iterator>
#include <sstream>
#include <utility>

#include "bundle/abi/limit.h"
#include "bundle/abi/pair_hash.h"
#include "bundle/abi/verdict.h"
#include "compiler/classify/tables.h"
#include "compiler/space/address.h"
#include "compiler/space/protocol.h"

namespace march::classify {
namespace {

using space::Address;
using space::Family;
using space::Uint128;

std::uint32_t Upper(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32);
}
std::uint32_t Lower(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}

// Prints what the words say, not what the builder meant to write.
class Dumper {
 public:
  Dumper(const Tables& tables, std::ostream& out) : words_(tables.words), out_(out) {}

  void Print(Family family, const march_family_shape& shape, const FamilyReport& report) {
    if (shape.views == 0) return;
    const std::string name = family == Family::kV4 ? "v4" : "v6";
    const std::uint32_t line = family == Family::kV4 ? 1 : 2;
    place_ = {Half(line * 16 + 0),
              Half(line * 16 + 1),
              Half(line * 16 + 2),
              Half(line * 16 + 3),
              Half(line * 16 + 4),
              Half(line * 16 + 5),
              Half(line * 16 + 6),
              Half(line * 16 + 7),
              Half(line * 16 + 8),
              Half(line * 16 + 9),
              Half(line * 16 + 10),
              Half(line * 16 + 11),
              {}};
    out_ << name << " depth " << int{shape.depth} << "+" << int{shape.low_depth} << ", by source "
         << report.rules_by_source << " mappings, by destination " << report.rules_by_destination
         << ", in the matrix " << report.rules_in_matrix << "\n";
    Addresses(name + " source", family, shape, place_.source);
    if (shape.shared == 0) Addresses(name + " destination", family, shape, place_.destination);
    if ((shape.views & MARCH_VIEW_PAIRS) != 0) Pairs();
    if ((shape.views & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0) {
      Records("source record", place_.source_records, report.source_records);
      if ((shape.views & (MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX)) != 0) {
        Records("destination record", place_.destination_records, report.destination_classes);
      }
    }
    if ((shape.views & MARCH_VIEW_MATRIX) != 0) Matrix(report);
  }

  void PrintTreatments(const Tables& tables) {
    march_tables_header header;
    std::memcpy(&header, words_.data(), sizeof(header));
    if (header.treatments == 0) return;
    out_ << "treatments\n";
    for (std::uint32_t slot = MARCH_SLOT_DEFAULT;
         slot < MARCH_SLOT_FIRST_MAPPING + tables.mappings.size(); ++slot) {
      const std::uint64_t word = Word(header.treatments + slot - MARCH_SLOT_DEFAULT);
      if (word == 0) continue;
      out_ << "  " << slot << ":";
      if ((word & MARCH_TREATMENT_STATELESS) != 0) out_ << " stateless";
      if ((word & MARCH_TREATMENT_REJECT) != 0) out_ << " reject";
      if (MARCH_TREATMENT_LIMIT(word) != 0) {
        out_ << " limit " << MARCH_TREATMENT_LIMIT(word) - 1;
      }
      out_ << "\n";
    }
    for (std::uint32_t number = 0; number < header.limit_count; ++number) {
      march_limit limit;
      std::memcpy(&limit, &words_.at(std::size_t{header.limits + number} * MARCH_LINE_WORDS),
                  sizeof(limit));
      Limit(number, limit);
    }
  }

 private:
  void Limit(std::uint32_t number, const march_limit& limit) {
    constexpr const char* kUnits[] = {"packets", "bytes", "connections"};
    constexpr const char* kPer[] = {"mapping", "source", "destination"};
    out_ << "limit " << number << ": " << limit.rate << " "
         << (limit.unit < std::size(kUnits) ? kUnits[limit.unit] : "?") << ", burst " << limit.burst
         << ", per " << (limit.per < std::size(kPer) ? kPer[limit.per] : "?");
    if (limit.per != MARCH_LIMIT_PER_MAPPING) {
      out_ << " /" << int{limit.prefix_v4} << " /" << int{limit.prefix_v6};
    }
    out_ << (limit.exceed == MARCH_LIMIT_MARK ? ", mark" : ", drop") << ", full after "
         << limit.refill << " ticks, counts in " << limit.counter
         << (limit.more != 0 ? ", and the next" : "") << "\n";
  }

  std::uint64_t Word(std::uint64_t index) const { return words_.at(index); }
  std::uint32_t Half(std::uint64_t half) const {
    return half % 2 == 0 ? Lower(Word(half / 2)) : Upper(Word(half / 2));
  }

  void Addresses(const std::string& label, Family family, const march_family_shape& shape,
                 std::uint32_t root) {
    out_ << label << "\n";
    last_ = MARCH_NO_CLASS;
    if (family == Family::kV6) {
      Value6(root, 0, 0, ~std::uint64_t{0}, false);
      return;
    }
    const unsigned slot_bits = 32U - shape.root_bits;
    for (std::uint64_t slot = 0; slot < std::uint64_t{1} << shape.root_bits; ++slot) {
      const std::uint64_t word = Word(root + slot);
      const std::uint32_t shift = Upper(word);
      const std::uint64_t cells = shift >= slot_bits ? 1 : std::uint64_t{1} << (slot_bits - shift);
      for (std::uint64_t cell = 0; cell < cells; ++cell) {
        const std::uint64_t start = (slot << slot_bits) + (cell << shift);
        const std::uint64_t at = Lower(word) + cell;
        Value4(shape.direct != 0 ? static_cast<std::uint32_t>(at) : Half(at),
               static_cast<std::uint32_t>(start));
      }
    }
  }

  void Class(Family family, Uint128 start, std::uint32_t class_id) {
    if (class_id == last_) return;
    last_ = class_id;
    out_ << "  " << Address{family, start}.ToString() << " class " << class_id << "\n";
  }

  void Value4(std::uint32_t value, std::uint32_t start) {
    if ((value & MARCH_VALUE_LEAF) != 0) {
      Class(Family::kV4, start, value & ~MARCH_VALUE_LEAF);
      return;
    }
    for (std::uint32_t i = 0; i <= MARCH_SHORT_KEYS; ++i) {
      std::uint32_t from = start;
      if (i > 0) {
        const std::uint64_t keys = Word(std::uint64_t{value} * MARCH_LINE_WORDS + (i - 1) / 4);
        const auto key = static_cast<std::uint32_t>(keys >> (16 * ((i - 1) % 4)) & 0xFFFF);
        if (key == 1U << MARCH_SHORT_KEY_BITS) return;
        from = (start & ~0x7FFFU) | key;
      }
      Value4(Half(std::uint64_t{value} * 16 + MARCH_SHORT_VALUES + i), from);
    }
  }

  // The values for keys from `first` to `last`; `high` are the upper bits when `key` are the lower.
  void Value6(std::uint32_t value, std::uint64_t high, std::uint64_t first, std::uint64_t last,
              bool is_low) {
    const std::uint32_t index = value & MARCH_VALUE_INDEX;
    if ((value & MARCH_VALUE_LEAF) != 0) {
      Class(Family::kV6, is_low ? Uint128{high} << 64 | first : Uint128{first} << 64,
            value & ~MARCH_VALUE_LEAF);
    } else if (!is_low && (value & MARCH_VALUE_LOW) != 0) {
      Value6(value & ~MARCH_VALUE_LOW, first, 0, ~std::uint64_t{0}, true);
    } else if ((value & MARCH_VALUE_SPAN) != 0) {
      const std::uint64_t start = Word(std::uint64_t{index} * 2);
      const std::uint64_t span = Word(std::uint64_t{index} * 2 + 1);
      for (std::uint64_t cell = 0; cell <= span >> 40; ++cell) {
        const std::uint64_t from = start + (cell << (span >> 32 & 63));
        Value6(Half(Lower(span) + cell), high, cell == 0 ? first : from, last, is_low);
      }
    } else {
      for (std::uint32_t i = 0; i <= MARCH_LONG_KEYS; ++i) {
        std::uint64_t from = first;
        if (i > 0) {
          from = Word(std::uint64_t{index} * MARCH_LINE_WORDS + i - 1);
          if (from == ~std::uint64_t{0} &&
              Half(std::uint64_t{index} * 16 + MARCH_LONG_VALUES + i) ==
                  Half(std::uint64_t{index} * 16 + MARCH_LONG_VALUES + i - 1)) {
            return;
          }
        }
        Value6(Half(std::uint64_t{index} * 16 + MARCH_LONG_VALUES + i), high, from, last, is_low);
      }
    }
  }

  void Entry(std::uint64_t index) {
    if (Upper(Word(index)) == MARCH_NO_CLASS) return;
    out_ << "    " << Upper(Word(index));
    if (Upper(Word(index)) != Lower(Word(index))) out_ << "-" << Lower(Word(index));
    out_ << ":";
    Leaf(Word(index + 1));
    out_ << "\n";
  }

  void Pairs() {
    out_ << "pairs in " << place_.pair_lines << " lines\n";
    for (std::uint32_t line = 0; line < place_.pair_lines; ++line) {
      for (std::uint32_t word = 0; word < MARCH_LINE_WORDS; ++word) {
        const std::uint64_t at = std::uint64_t{place_.pairs + line} * MARCH_LINE_WORDS + word;
        if (Word(at) != 0) Pair(line, Word(at));
      }
    }
  }

  void Pair(std::uint32_t line, std::uint64_t word) {
    const std::uint64_t pair = PairOf(line, word >> MARCH_PAIR_TAG_SHIFT);
    out_ << "  " << (pair >> place_.pair_destination_bits) << " to "
         << pair % (std::uint64_t{1} << place_.pair_destination_bits) << ":";
    std::uint64_t leaf = march_pair_leaf(word, place_.pair_slot_bits);
    if (MARCH_PAIR_KIND(word) == MARCH_LEAF_NONE) leaf |= Word(word % MARCH_PAIR_WORDS);
    Leaf(leaf);
    out_ << "\n";
  }

  // march_pair_key, undone: the source in the upper bits, the destination in the lower.
  std::uint64_t PairOf(std::uint32_t line, std::uint64_t tag) const {
    const std::uint64_t mask = (std::uint64_t{1} << place_.pair_bits) - 1;
    // The first key of the line from where on its keys are, with this tag.
    std::uint64_t from = 0;
    for (std::uint64_t bit = (mask + 1) / 2; bit != 0; bit /= 2) {
      if (march_pair_line(from + bit - 1, place_.pair_bits, place_.pair_lines) < line) from += bit;
    }
    std::uint64_t key = (from & ~std::uint64_t{MARCH_PAIR_TAGS - 1}) | tag;
    if (key < from) key += MARCH_PAIR_TAGS;
    key = key * Inverse(MARCH_PAIR_SECOND_FACTOR) & mask;
    key ^= key >> ((place_.pair_bits + 1) / 2);
    return key * Inverse(MARCH_PAIR_FACTOR) & mask;
  }

  // Of an odd number, modulo 2^64 (Newton's iteration: each step doubles the bits that are right).
  static std::uint64_t Inverse(std::uint64_t number) {
    std::uint64_t inverse = number;
    for (int step = 0; step < 6; ++step) inverse *= 2 - number * inverse;
    return inverse;
  }

  void Tail(std::uint64_t line, std::uint32_t levels) {
    if (levels == 1) {
      for (std::uint32_t i = 0; i < MARCH_ROW_ENTRIES; ++i) Entry(line * MARCH_LINE_WORDS + 2 * i);
      return;
    }
    const std::uint64_t children = Word(line * MARCH_LINE_WORDS);
    for (std::uint32_t i = 0; i <= MARCH_FENCES; ++i) {
      if (i > 0 && Half(line * 16 + 1 + i) == 1U << 31) break;
      Tail(children + i, levels - 1);
    }
  }

  void Records(const char* label, std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t record = std::uint64_t{Half(first + i)} * MARCH_LINE_WORDS;
      out_ << "  " << label << " " << i << " across " << Upper(Word(record)) << " matrix "
           << Lower(Word(record)) << "\n";
      for (std::uint32_t entry = 0; entry < MARCH_RECORD_ENTRIES; ++entry) {
        Entry(record + 2 + 2 * entry);
      }
      const std::uint32_t tail = Lower(Word(record + 1));
      if (tail >> 28 != 0) Tail(tail & (MARCH_TAIL_LINES - 1), tail >> 28);
    }
  }

  void Matrix(const FamilyReport& report) {
    const std::uint64_t rows = report.matrix_bytes / sizeof(std::uint64_t) / place_.width;
    out_ << "matrix\n";
    for (std::uint64_t i = 0; i < rows * place_.width; ++i) {
      out_ << "  " << i / place_.width << " to " << i % place_.width << ":";
      Leaf(Word(place_.matrix + i));
      out_ << "\n";
    }
  }

  void Leaf(std::uint64_t leaf) {
    switch (MARCH_LEAF_KIND(leaf)) {
      case MARCH_LEAF_NONE:
        out_ << " -";
        break;
      case MARCH_LEAF_RULE:
        Rule(leaf);
        break;
      case MARCH_LEAF_LIST:
        for (std::uint32_t i = 0; i < (Upper(leaf) & 0xFF); ++i) Rule(Word(Lower(leaf) + i));
        break;
      default:
        Table(leaf);
    }
    if ((leaf & MARCH_LEAF_FINAL) != 0) out_ << " final";
  }

  void Table(std::uint64_t leaf) {
    const bool by_source_port = (leaf & MARCH_LEAF_BY_SOURCE_PORT) != 0;
    out_ << (by_source_port ? " source ports {" : " table {");
    for (std::uint32_t i = 0; i < (Upper(leaf) & (MARCH_MAX_SETS - 1)); ++i) {
      const std::uint64_t word = Word(Lower(leaf) + i);
      const std::uint32_t key = Upper(word);
      out_ << (i > 0 ? ", " : "");
      if (by_source_port) {
        out_ << key;
      } else {
        out_ << ((key & MARCH_L4_FRAGMENT) != 0 ? "fragment " : "")
             << space::ProtocolName(static_cast<std::uint8_t>(key >> 16)) << ":" << (key & 0xFFFF);
      }
      out_ << "+";
      Leaf(Word(Lower(word)));
    }
    out_ << "}";
  }

  void Rule(std::uint64_t rule) {
    const std::uint32_t verdict = Lower(rule);
    const std::uint64_t set = place_.sets + 2 * (std::uint64_t{Upper(rule)} & (MARCH_MAX_SETS - 1));
    out_ << " " << ((verdict & MARCH_VERDICT_AUDITED) != 0 ? "audit-" : "")
         << ((verdict & MARCH_ACTION_ALLOW) != 0 ? "allow" : "deny") << "@"
         << MARCH_VERDICT_SLOT(verdict);
    if ((Word(set) & MARCH_SET_SOME) != 0) {
      out_ << "[perhaps]";
      return;
    }
    std::string text;
    const bool every = ForEachPart(Word(set), [&](std::uint32_t first, std::uint32_t last) {
      if (first == 0 && last == MARCH_L4_FRAGMENT - 1) return true;
      text += (text.empty() ? "" : " ") + L4Text(first);
      if (last != first) text += "-" + L4Text(last);
      return false;
    });
    const bool every_port =
        ForEachPart(Word(set + 1), [&](std::uint32_t first, std::uint32_t last) {
          if (first == 0 && last == 0xFFFF) return true;
          text += " from " + std::to_string(first);
          if (last != first) text += "-" + std::to_string(last);
          return false;
        });
    if (!every || !every_port) out_ << "[" << text << "]";
  }

  static std::string L4Text(std::uint32_t key) {
    return space::ProtocolName(static_cast<std::uint8_t>(key >> 16)) + ":" +
           std::to_string(key & 0xFFFF);
  }

  // Whether `visit` said so of some part.
  template <class Visit>
  bool ForEachPart(std::uint64_t set, Visit&& visit) const {
    if ((set & MARCH_SET_MANY) == 0) return visit(Lower(set), Upper(set) & 0x3FFFFFFF);
    bool any = false;
    for (std::uint32_t i = 0; i < (Upper(set) & 0x3FFFFFFF); ++i) {
      const std::uint64_t part = Word(Lower(set) + i);
      any = visit(Lower(part), Upper(part)) || any;
    }
    return any;
  }

  const std::vector<std::uint64_t>& words_;
  std::ostream& out_;
  march_family place_{};
  std::uint32_t last_ = MARCH_NO_CLASS;  // class printed last
};

}  // namespace

std::string Dump(const Tables& tables) {
  std::ostringstream out;
  const Report& report = tables.report;
  out << "tables " << tables.words.size() * sizeof(std::uint64_t) << " bytes, " << report.sets
      << " sets of ports, " << report.l4_tables << " tables over layer 4\n";
  Dumper dumper(tables, out);
  dumper.Print(Family::kV4, tables.shape.v4, report.v4);
  dumper.Print(Family::kV6, tables.shape.v6, report.v6);
  dumper.PrintTreatments(tables);
  return out.str();
}

}  // namespace march::classify
