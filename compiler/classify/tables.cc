#include "compiler/classify/tables.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <span>
#include <utility>
#include <variant>

#include "bundle/abi/verdict.h"
#include "bundle/text.h"
#include "compiler/classify/find.h"
#include "compiler/classify/leaves.h"
#include "compiler/classify/lines.h"
#include "compiler/classify/pairs.h"
#include "compiler/classify/treatments.h"

namespace march::classify {
namespace {

static_assert(std::endian::native == std::endian::little, "tables are little-endian words");
static_assert(sizeof(march_tables_header) == MARCH_LINE_BYTES);
static_assert(sizeof(march_family) == MARCH_LINE_BYTES);
static_assert(sizeof(march_shape) == MARCH_LINE_BYTES);

constexpr std::uint32_t kHeaderLines = 4;
constexpr std::uint64_t kNoRange = Pack(MARCH_NO_CLASS, 0);

OrderedRules InOrder(const ruleset::RuleSet& rules) {
  OrderedRules ordered;
  const auto by_precedence = [](const ruleset::Rule* a, const ruleset::Rule* b) {
    return ruleset::Precedes(*a, *b);
  };
  for (const ruleset::Rule& rule : rules.rules) ordered.push_back(&rule);
  const auto middle = static_cast<std::ptrdiff_t>(ordered.size());
  for (const ruleset::Rule& rule : rules.audits) ordered.push_back(&rule);
  std::inplace_merge(ordered.begin(), ordered.begin() + middle, ordered.end(), by_precedence);
  return ordered;
}

// Lines of entries for `cells`, and lines of fences above them. Returns the levels.
std::uint32_t AppendTail(const Cell* cells, std::size_t count, Lines& lines, std::uint32_t& top) {
  struct Node {
    std::uint32_t line;
    std::uint32_t first;  // class
  };
  std::vector<Node> level;
  for (std::size_t i = 0; i < count; i += MARCH_ROW_ENTRIES) {
    const std::uint32_t line = lines.AppendLine();
    level.push_back({line, cells[i].first});
    for (std::uint32_t j = 0; j < MARCH_ROW_ENTRIES; ++j) {
      lines.WordOf(line, 2 * j) =
          i + j < count ? Pack(cells[i + j].first, cells[i + j].last) : kNoRange;
      if (i + j < count) lines.WordOf(line, 2 * j + 1) = cells[i + j].leaf;
    }
  }
  std::uint32_t levels = 1;
  for (; level.size() > 1; ++levels) {
    std::vector<Node> above;
    for (std::size_t i = 0; i < level.size(); i += MARCH_FENCES + 1) {
      const std::uint32_t line = lines.AppendLine();
      above.push_back({line, level[i].first});
      lines.WordOf(line, 0) = level[i].line;
      for (std::uint32_t j = 1; j <= MARCH_FENCES; ++j) {
        lines.SetHalf(line, j + 1, i + j < level.size() ? level[i + j].first : 1U << 31);
      }
    }
    level = std::move(above);
  }
  top = level[0].line;
  return levels;
}

// The record lines of a side, by record; `levels` becomes those of the deepest tail.
std::vector<std::uint32_t> AppendRecords(const Side& side, Lines& lines, std::uint8_t& levels) {
  struct Tail {
    std::uint32_t levels = 0;
    std::uint32_t top = 0;
  };
  std::vector<Tail> tails(side.rows.size());
  std::vector<bool> used(side.rows.size(), false);
  for (const Record& record : side.records) used[record.row] = true;
  for (std::size_t i = 0; i < tails.size(); ++i) {
    const Row& row = side.rows[i];
    if (!used[i] || row.size() <= MARCH_RECORD_ENTRIES) continue;
    tails[i].levels = AppendTail(row.data() + MARCH_RECORD_ENTRIES,
                                 row.size() - MARCH_RECORD_ENTRIES, lines, tails[i].top);
    levels = std::max(levels, static_cast<std::uint8_t>(tails[i].levels));
  }
  std::vector<std::uint32_t> numbers;
  std::map<Record, std::uint32_t> known;
  for (const Record& record : side.records) {
    const auto [place, is_new] = known.try_emplace(record, 0);
    if (!is_new) {
      numbers.push_back(place->second);
      continue;
    }
    const Row& row = side.rows[record.row];
    const Tail& tail = tails[record.row];
    const std::uint32_t line = lines.AppendLine();
    place->second = line;
    numbers.push_back(line);
    lines.WordOf(line, 0) = Pack(record.across, record.matrix);
    lines.WordOf(line, 1) =
        tail.levels == 0 ? Pack(MARCH_NO_CLASS, 0)
                         : Pack(row[MARCH_RECORD_ENTRIES].first, tail.levels << 28 | tail.top);
    for (std::uint32_t i = 0; i < MARCH_RECORD_ENTRIES; ++i) {
      lines.WordOf(line, 2 + 2 * i) = i < row.size() ? Pack(row[i].first, row[i].last) : kNoRange;
      if (i < row.size()) lines.WordOf(line, 3 + 2 * i) = row[i].leaf;
    }
  }
  return numbers;
}

// Lays out one family; fills in its line and its bounds. Mappings have slots below `slots`.
void LayOut(space::Family family, std::uint32_t slots, Views views, Lines& lines,
            march_family& place, march_family_shape& bounds, FamilyReport& report) {
  report.source_classes = views.source.class_count;
  report.source_records = static_cast<std::uint32_t>(views.source.records.size());
  report.destination_classes = views.destination.class_count;
  report.rules_by_source = views.rules_by_source;
  report.rules_by_destination = views.rules_by_destination;
  report.rules_in_matrix = views.rules_in_matrix;
  report.by_source = views.by_source;
  report.by_destination = views.by_destination;
  report.in_matrix = views.in_matrix;
  bounds.views = views.which;
  if (views.which == 0) return;

  place.matrix = lines.Append(views.matrix);
  place.width = views.width;
  report.matrix_bytes = views.matrix.size() * sizeof(std::uint64_t);
  report.matrix_destinations = views.width;
  if (views.width != 0) {
    report.matrix_sources = static_cast<std::uint32_t>(views.matrix.size() / views.width);
  }

  std::vector<Step> source = std::move(views.source.classes);
  if ((views.which & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0) {
    const std::uint64_t before = lines.bytes();
    const Pairs pairs = TakePairs(views.source, views.destination.class_count, slots, lines);
    report.pairs = pairs.lines == 0 ? 0 : pairs.count;
    if (pairs.lines != 0) {
      bounds.views |= MARCH_VIEW_PAIRS;
      place.pairs = pairs.first_line;
      place.pair_lines = pairs.lines;
      place.pair_bits = pairs.bits;
      place.pair_destination_bits = pairs.destination_bits;
      place.pair_slot_bits = pairs.slot_bits;
    }
    place.source_records =
        lines.AppendHalves(AppendRecords(views.source, lines, bounds.source_tail));
    for (Step& step : source)
      step.value = step.value * MARCH_PAIR_SALTS + pairs.salt_of[step.value];
    if ((views.which & (MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX)) != 0) {
      const std::vector<std::uint32_t> numbers =
          AppendRecords(views.destination, lines, bounds.destination_tail);
      std::vector<std::uint32_t> by_class;
      by_class.reserve(views.destination.record_of.size());
      for (const std::uint32_t record : views.destination.record_of) {
        by_class.push_back(numbers[record]);
      }
      place.destination_records = lines.AppendHalves(by_class);
    }
    report.row_bytes = lines.bytes() - before;
  }
  Find from;
  Find to;
  Plan4 plan;
  if (family == space::Family::kV4) {
    const std::vector<Step>* const tables[] = {&source, &views.destination.classes};
    plan = PlanFor(std::span(tables).first(views.shared ? 1 : 2));
    bounds.root_bits = plan.root_bits;
    bounds.direct = plan.direct ? 1 : 0;
  }
  bounds.shared = views.shared ? 1 : 0;
  const auto lay_out = [&](const std::vector<Step>& steps) {
    return family == space::Family::kV4 ? LayOut4(steps, plan, lines) : LayOut6(steps, lines);
  };
  from = lay_out(source);
  to = views.shared ? Find{from.root, {}} : lay_out(views.destination.classes);
  place.source = from.root;
  place.destination = to.root;
  const auto describe = [](const std::vector<Step>& steps, const FindReport& find) {
    return SearchReport{static_cast<std::uint32_t>(steps.size()), find.depth, find.low_depth};
  };
  report.source = describe(source, from.report);
  report.destination =
      views.shared ? report.source : describe(views.destination.classes, to.report);
  report.source_bytes = from.report.bytes;
  report.destination_bytes = to.report.bytes;
  bounds.depth = static_cast<std::uint8_t>(std::max(from.report.depth, to.report.depth));
  bounds.low_depth =
      static_cast<std::uint8_t>(std::max(from.report.low_depth, to.report.low_depth));
}

Diagnostic TooLarge(const OrderedRules& rules, const std::vector<Cost>& costs,
                    const Limits& limits) {
  std::string message = "the policy needs classifier tables above the limit of " +
                        std::to_string(limits.max_table_bytes) + " bytes";
  SourceRange place;
  for (const Cost& cost : costs) {
    message += &cost == costs.data() ? "; most of them for " : ", ";
    message += bundle::Quoted(rules[cost.rule]->name) + " (" + std::to_string(cost.entries) +
               (cost.by_lists ? " overlaps with others)" : " pairs of address ranges)");
  }
  if (!costs.empty()) place = rules[costs[0].rule]->place;
  if (!costs.empty() && costs[0].by_lists) {
    return MakeDiagnostic(
        Code::kTablesTooLarge, place, std::move(message),
        "let fewer mappings meet in one place: name services whose networks do not contain each "
        "other, or give the mappings that overlap the same ports and merge them");
  }
  return MakeDiagnostic(
      Code::kTablesTooLarge, place, std::move(message),
      "raise --max-table-bytes, or let these mappings name services of fewer or larger networks: "
      "each meets every address range that other mappings set apart within its own");
}

}  // namespace

Outcome<Tables> BuildTables(const ruleset::RuleSet& rules, const Limits& limits) {
  const std::uint64_t most = std::min(limits.max_table_bytes, Limits{}.max_table_bytes);
  const OrderedRules ordered = InOrder(rules);
  Leaves leaves(ordered, kHeaderLines * MARCH_LINE_WORDS, most / sizeof(std::uint64_t));
  Tables result;
  Views views[2];
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    auto built =
        BuildViews(ordered, family, leaves,
                   {most, limits.small_matrix_bytes, limits.large_matrix_bytes, limits.most_pairs});
    if (const auto* costs = std::get_if<std::vector<Cost>>(&built)) {
      return TooLarge(ordered, *costs, limits);
    }
    views[family == space::Family::kV4 ? 0 : 1] = std::get<Views>(std::move(built));
  }
  // Leaves come first: they were numbered so.
  Words words(kHeaderLines * MARCH_LINE_WORDS, 0);
  words.insert(words.end(), leaves.words().begin(), leaves.words().end());
  Lines lines(std::move(words));
  march_family places[2] = {};
  places[0].sets = lines.Append({});
  lines.Append(leaves.SetWords(places[0].sets));
  places[1].sets = places[0].sets;
  result.report.leaf_bytes = lines.bytes() - kHeaderLines * MARCH_LINE_BYTES;
  result.report.sets = static_cast<std::uint32_t>(leaves.sets());
  result.report.l4_tables = static_cast<std::uint32_t>(leaves.tables());

  for (const std::uint32_t id : leaves.Longest()) {
    result.report.most_at_once.push_back(ordered[id]->mapping);
  }

  leaves.Describe(result.shape);
  result.shape.default_action =
      rules.default_action == model::Action::kAllow ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY;
  const auto slots = static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + ordered.size());
  LayOut(space::Family::kV4, slots, std::move(views[0]), lines, places[0], result.shape.v4,
         result.report.v4);
  LayOut(space::Family::kV6, slots, std::move(views[1]), lines, places[1], result.shape.v6,
         result.report.v6);
  result.shape.features = FeaturesOf(rules, ordered);
  march_tables_header header{};
  AppendTreatments(rules, ordered, lines, header);
  if (lines.bytes() > most) {
    return TooLarge(ordered, {}, limits);
  }
  result.words = std::move(lines).Take();
  header.magic = MARCH_TABLES_MAGIC;
  header.version = MARCH_TABLES_VERSION;
  header.lines = static_cast<std::uint32_t>(result.words.size() / MARCH_LINE_WORDS);
  std::memcpy(result.words.data(), &header, sizeof(header));
  std::memcpy(result.words.data() + 1 * MARCH_LINE_WORDS, places, sizeof(places));
  std::memcpy(result.words.data() + 3 * MARCH_LINE_WORDS, &result.shape, sizeof(result.shape));
  for (const ruleset::Rule* rule : ordered) {
    result.mappings.push_back(rule->mapping);
    if (rule->treatment.limit) result.limited.push_back(rule->mapping);
  }
  return result;
}

std::string Tables::Bytes() const {
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

}  // namespace march::classify
