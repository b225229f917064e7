#include "compiler/classify/tables.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "compiler/classify/classes.h"
#include "compiler/classify/fields.h"
#include "compiler/classify/l4.h"
#include "compiler/classify/runs.h"
#include "compiler/classify/sweep.h"

namespace march::classify {
namespace {

static_assert(std::endian::native == std::endian::little, "tables are little-endian words");
static_assert(sizeof(march_tables_header) % sizeof(std::uint64_t) == 0);

constexpr std::size_t kHeaderWords = sizeof(march_tables_header) / sizeof(std::uint64_t);

using Words = std::vector<std::uint64_t>;

// Numbers the distinct lists of rules that layer 4 has to tell apart.
class L4Tables {
 public:
  explicit L4Tables(const ruleset::RuleSet& rules) : rules_(rules) {}

  std::uint32_t IdOf(RuleIds ids) {
    Prune(rules_, ids);
    return ids_.try_emplace(std::move(ids), static_cast<std::uint32_t>(ids_.size())).first->second;
  }

  // Lays the tables out; returns the run words in the order of their numbers.
  Words LayOut(Runs& runs, std::uint32_t& depth, AuditedVerdicts& audited) const {
    Words run_words(ids_.size());
    for (const auto& [ids, number] : ids_) {
      const Words run = BuildL4Run(rules_, ids, audited);
      depth = std::max(depth, DepthOf(run.size()));
      run_words[number] = runs.SharePacked(run);
    }
    return run_words;
  }

  std::size_t size() const { return ids_.size(); }

 private:
  const ruleset::RuleSet& rules_;
  std::map<RuleIds, std::uint32_t> ids_;
};

struct ClassRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

// For every rule, the classes in which it is a member.
std::vector<std::vector<ClassRange>> ClassesOfRules(const Classes& classes, std::size_t rules) {
  std::vector<std::vector<ClassRange>> result(rules);
  for (std::uint32_t class_id = 0; class_id < classes.members.size(); ++class_id) {
    for (const std::uint32_t rule : classes.members[class_id]) {
      auto& ranges = result[rule];
      if (!ranges.empty() && ranges.back().last + 1 == class_id) {
        ranges.back().last = class_id;
      } else {
        ranges.push_back({class_id, class_id});
      }
    }
  }
  return result;
}

// The row of a source class: over the destination classes, which layer-4 table holds.
Words BuildRow(const RuleIds& source_rules, const std::vector<std::vector<ClassRange>>& reach,
               std::uint32_t class_count, L4Tables& l4) {
  Sweep<std::uint32_t> sweep(class_count - 1);
  for (const std::uint32_t rule : source_rules) {
    for (const ClassRange& range : reach[rule]) sweep.Add(rule, range.first, range.last);
  }
  Words row;
  sweep.Run([&](std::uint32_t start, const RuleIds& active) {
    const std::uint32_t table = l4.IdOf(active);
    if (row.empty() || static_cast<std::uint32_t>(row.back()) != table) {
      row.push_back(PackedEntry(start, table));
    }
  });
  return row;
}

Diagnostic TooLarge(std::uint64_t words, const Limits& limits) {
  return MakeDiagnostic(
      Code::kTablesTooLarge, {},
      "the policy needs tables of more than " + std::to_string(words * sizeof(std::uint64_t)) +
          " bytes, above the limit of " + std::to_string(limits.max_table_bytes),
      "raise --max-table-bytes, or avoid combining many distinct sources with many distinct "
      "destinations in mappings that leave the other end open");
}

// One address family: classes of both ends and the rows between them.
struct FamilyTables {
  Classes source;
  Classes destination;
  std::uint32_t rows = 0;
  march_find_rows find{};
};

// The rules that decide and those under audit in one order: the classifier tells all apart.
ruleset::RuleSet Merged(ruleset::RuleSet rules) {
  rules.rules.insert(rules.rules.end(), rules.audits.begin(), rules.audits.end());
  rules.audits.clear();
  SortByPrecedence(rules);
  return rules;
}

}  // namespace

Outcome<Tables> BuildTables(const ruleset::RuleSet& rules, const Limits& limits) {
  if (!rules.audits.empty()) return BuildTables(Merged(rules), limits);
  // Word indices have 31 bits.
  const std::uint64_t most =
      std::min<std::uint64_t>(limits.max_table_bytes / sizeof(std::uint64_t), (1U << 31) - 1);
  Runs runs(kHeaderWords);
  L4Tables l4(rules);

  std::map<space::Family, FamilyTables> families;
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    FamilyTables& tables = families[family];
    std::vector<const space::IntervalSet<space::Uint128>*> source;
    std::vector<const space::IntervalSet<space::Uint128>*> destination;
    for (const ruleset::Rule& rule : rules.rules) {
      source.push_back(&rule.source->In(family));
      destination.push_back(&rule.destination->In(family));
    }
    tables.source = CutIntoClasses(source, space::LastOf(family));
    tables.destination = CutIntoClasses(destination, space::LastOf(family));

    const auto reach = ClassesOfRules(tables.destination, rules.rules.size());
    const auto class_count = static_cast<std::uint32_t>(tables.destination.members.size());
    Words run_words;
    for (const RuleIds& members : tables.source.members) {
      const Words row = BuildRow(members, reach, class_count, l4);
      tables.find.depth = std::max(tables.find.depth, DepthOf(row.size()));
      run_words.push_back(runs.SharePacked(row));
      if (runs.size() + run_words.size() > most) {
        return TooLarge(runs.size() + run_words.size(), limits);
      }
    }
    Words distinct = run_words;
    std::sort(distinct.begin(), distinct.end());
    tables.rows = static_cast<std::uint32_t>(std::unique(distinct.begin(), distinct.end()) -
                                             distinct.begin());
    tables.find.row_words = runs.Append(run_words);
  }

  const FamilyTables& v4 = families[space::Family::kV4];
  const FamilyTables& v6 = families[space::Family::kV6];
  Tables result;
  result.shape.src4 = LayOut4(v4.source, runs);
  result.shape.dst4 = LayOut4(v4.destination, runs);
  result.shape.src6 = LayOut6(v6.source, runs);
  result.shape.dst6 = LayOut6(v6.destination, runs);
  result.shape.rows4 = v4.find;
  result.shape.rows6 = v6.find;
  AuditedVerdicts audited;
  const Words l4_words = l4.LayOut(runs, result.shape.l4_depth, audited);
  result.shape.l4_words = runs.Append(l4_words);
  if (!audited.words().empty()) result.shape.audit_words = runs.Append(audited.words());
  if (runs.size() > most) return TooLarge(runs.size(), limits);

  const march_tables_header header = {MARCH_TABLES_MAGIC, MARCH_TABLES_VERSION, runs.size(),
                                      result.shape};
  std::memcpy(runs.words().data(), &header, sizeof(header));
  result.words = std::move(runs.words());
  const auto count = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  result.report = {count(v4.source.members),
                   count(v4.destination.members),
                   v4.rows,
                   count(v6.source.members),
                   count(v6.destination.members),
                   v6.rows,
                   static_cast<std::uint32_t>(l4.size())};
  return result;
}

std::string Tables::Bytes() const {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

Outcome<Tables> ReadTables(std::string_view bytes) {
  const auto malformed = [](const char* why) {
    return MakeDiagnostic(Code::kBundleMalformed, {}, std::string("the classifier tables ") + why,
                          "compile the policy again");
  };
  if (bytes.size() % sizeof(std::uint64_t) != 0 || bytes.size() < sizeof(march_tables_header)) {
    return malformed("have an impossible size");
  }
  Tables tables;
  tables.words.resize(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(tables.words.data(), bytes.data(), bytes.size());
  march_tables_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != MARCH_TABLES_MAGIC) return malformed("are not classifier tables");
  if (header.version != MARCH_TABLES_VERSION) return malformed("are of another version");
  if (header.words != tables.words.size()) return malformed("differ in size from their header");
  tables.shape = header.shape;
  return tables;
}

}  // namespace march::classify
