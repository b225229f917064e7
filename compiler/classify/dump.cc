#include <cstdio>
#include <sstream>

#include "bundle/abi/verdict.h"
#include "compiler/classify/tables.h"
#include "compiler/space/address.h"
#include "compiler/space/protocol.h"

namespace march::classify {
namespace {

using space::Address;
using space::Family;

// Prints what the words say, not what the builder meant to write.
class Dumper {
 public:
  Dumper(const Tables& tables, std::ostream& out) : words_(tables.words), out_(out) {}

  void Find4(const char* label, const march_find4& find) {
    out_ << label << " root_bits " << find.root_bits << " depth " << find.depth << "\n";
    std::uint32_t last = 0;
    for (std::uint32_t slot = 0; slot < 1U << find.root_bits; ++slot) {
      const std::uint64_t run = words_.at(find.root + slot);
      const std::uint32_t base = find.root_bits == 0 ? 0 : slot << (32 - find.root_bits);
      for (std::uint32_t i = 0; i < run >> 32; ++i) {
        const std::uint64_t entry = words_.at((run & 0xFFFFFFFF) + i);
        const auto class_id = static_cast<std::uint32_t>(entry);
        const std::uint32_t key = i == 0 ? base : static_cast<std::uint32_t>(entry >> 32);
        if ((slot != 0 || i != 0) && class_id == last) continue;
        last = class_id;
        out_ << "  " << Address{Family::kV4, key}.ToString() << " class " << class_id << "\n";
      }
    }
  }

  void Find6(const char* label, const march_find6& find) {
    out_ << label << " depth " << find.depth << " low_depth " << find.low_depth << "\n";
    for (std::uint32_t i = 0; i < find.count; ++i) {
      const space::Uint128 high = space::Uint128{words_.at(find.base + i)} << 64;
      const std::uint64_t payload = words_.at(find.base + find.count + i);
      if ((payload & MARCH_PAYLOAD_RUN) == 0) {
        Class6(high, payload);
        continue;
      }
      const std::uint64_t base = payload & 0x7FFFFFFF;
      const std::uint64_t count = payload >> 32 & 0x7FFFFFFF;
      for (std::uint64_t low = 0; low < count; ++low) {
        Class6(high | words_.at(base + low), words_.at(base + count + low));
      }
    }
  }

  void Rows(const char* label, const march_find_rows& find, std::uint32_t classes) {
    out_ << label << " depth " << find.depth << "\n";
    for (std::uint32_t class_id = 0; class_id < classes; ++class_id) {
      out_ << "  source class " << class_id << ":";
      const std::uint64_t run = words_.at(find.row_words + class_id);
      for (std::uint32_t i = 0; i < run >> 32; ++i) {
        const std::uint64_t entry = words_.at((run & 0xFFFFFFFF) + i);
        out_ << " " << (entry >> 32) << "+ l4 " << (entry & 0xFFFFFFFF);
      }
      out_ << "\n";
    }
  }

  void L4(const march_shape& shape, std::uint32_t tables) {
    for (std::uint32_t table = 0; table < tables; ++table) {
      out_ << "l4 " << table << "\n";
      const std::uint64_t run = words_.at(shape.l4_words + table);
      for (std::uint32_t i = 0; i < run >> 32; ++i) {
        const std::uint64_t entry = words_.at((run & 0xFFFFFFFF) + i);
        const auto key = static_cast<std::uint32_t>(entry >> 32);
        auto verdict = static_cast<std::uint32_t>(entry);
        std::uint32_t audit = 0;
        if ((verdict & MARCH_VERDICT_AUDITED) != 0) {
          const std::uint64_t pair = words_.at(shape.audit_words + MARCH_VERDICT_SLOT(verdict));
          verdict = static_cast<std::uint32_t>(pair);
          audit = static_cast<std::uint32_t>(pair >> 32);
        }
        const std::uint32_t slot = MARCH_VERDICT_SLOT(verdict);
        out_ << "  " << ((key & MARCH_L4_FRAGMENT) != 0 ? "fragment " : "")
             << space::ProtocolName(static_cast<std::uint8_t>(key >> 16)) << ":" << (key & 0xFFFF)
             << "+ " << (MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW ? "allow" : "deny");
        if (slot >= MARCH_SLOT_FIRST_MAPPING) {
          out_ << " mapping " << slot - MARCH_SLOT_FIRST_MAPPING;
        } else {
          out_ << (slot == MARCH_SLOT_DEFAULT ? " default" : " fragment");
        }
        if (audit != 0) out_ << " audit mapping " << audit - MARCH_SLOT_FIRST_MAPPING;
        out_ << "\n";
      }
    }
  }

 private:
  void Class6(space::Uint128 start, std::uint64_t class_id) {
    out_ << "  " << Address{Family::kV6, start}.ToString() << " class " << class_id << "\n";
  }

  const std::vector<std::uint64_t>& words_;
  std::ostream& out_;
};

}  // namespace

std::string Dump(const Tables& tables) {
  std::ostringstream out;
  const Report& report = tables.report;
  out << "tables " << tables.words.size() << " words, " << report.l4_tables << " l4 tables, "
      << report.rows4 << "+" << report.rows6 << " distinct rows\n";
  Dumper dumper(tables, out);
  const march_shape& shape = tables.shape;
  dumper.Find4("src4", shape.src4);
  dumper.Find4("dst4", shape.dst4);
  dumper.Rows("rows4", shape.rows4, report.source_classes4);
  dumper.Find6("src6", shape.src6);
  dumper.Find6("dst6", shape.dst6);
  dumper.Rows("rows6", shape.rows6, report.source_classes6);
  dumper.L4(shape, report.l4_tables);
  return out.str();
}

}  // namespace march::classify
