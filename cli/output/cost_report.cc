#include "cli/output/cost_report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

namespace march::cli {
namespace {

using budget::LineCount;
using classify::FamilyReport;
using classify::SearchReport;
using nlohmann::json;

// One address family with all that is said of it.
struct Family {
  const char* name;
  march_family_shape shape;
  FamilyReport report;
  LineCount lines;
};

std::array<Family, 2> FamiliesOf(const CostReport& report) {
  const classify::Tables& tables = *report.compilation.tables;
  const ruleset::RuleSet& rules = *report.compilation.rules;
  return {{{"IPv4", tables.shape.v4, tables.report.v4,
            budget::CountLines(space::Family::kV4, rules, tables)},
           {"IPv6", tables.shape.v6, tables.report.v6,
            budget::CountLines(space::Family::kV6, rules, tables)}}};
}

std::string Count(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string Fixed(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

// Why mappings are where they are. Entries are estimates from below, as the choice was made by
// them: what the tables then share takes less.
std::string WhyMatrix(const Family& family, const CostReport& report) {
  const std::uint64_t small = report.options.classify.small_matrix_bytes;
  if (family.report.matrix_bytes <= small &&
      (family.shape.views & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) == 0) {
    return "all that is needed, since it is not above " + std::to_string(small) + " bytes";
  }
  return "in rows its mappings would take " + std::to_string(family.report.in_matrix.entries) +
         " entries" + " or more";
}

std::string WhyRows(const classify::ViewCost& cost, const char* other) {
  return std::to_string(cost.entries) + " entries at least, where rows by " + other +
         " would take " + std::to_string(cost.instead);
}

class TextPrinter {
 public:
  explicit TextPrinter(std::ostream& out) : out_(out) {}

  // A line with its title; without one it goes on with the line above.
  void Line(const std::string& title, const std::string& text) {
    constexpr std::size_t kColumn = 18;
    out_ << title << std::string(title.size() < kColumn ? kColumn - title.size() : 1, ' ') << text
         << "\n";
  }

  void Print(const Family& family, const CostReport& report) {
    const FamilyReport& r = family.report;
    out_ << family.name << "\n";
    if (family.shape.views == 0) {
      Line("  mappings", "none: every packet meets the default");
      return;
    }
    Line("  sources", Search(r.source, r.source_classes, r.source_bytes, family));
    Line("  destinations",
         family.shape.shared != 0
             ? "searched in the table of the sources, since both sides name much the same addresses"
             : Search(r.destination, r.destination_classes, r.destination_bytes, family));
    if (r.rules_by_source != 0) {
      Line("  by source",
           Count(r.rules_by_source, "mapping") + ": " + WhyRows(r.by_source, "destination"));
    }
    if (r.rules_by_destination != 0) {
      Line("  by destination",
           Count(r.rules_by_destination, "mapping") + ": " + WhyRows(r.by_destination, "source"));
    }
    if (r.rules_in_matrix != 0) {
      Line("  matrix", Count(r.rules_in_matrix, "mapping") + ": " +
                           std::to_string(r.matrix_sources) + " x " +
                           std::to_string(r.matrix_destinations) + " classes, " +
                           std::to_string(r.matrix_bytes) + " bytes; " + WhyMatrix(family, report));
    }
    if ((family.shape.views & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0) {
      Line("  rows", std::to_string(r.row_bytes) + " bytes; " + Count(r.pairs, "pair") +
                         ", tails of up to " + Count(family.shape.source_tail, "level") +
                         " by source and " + std::to_string(family.shape.destination_tail) +
                         " by destination");
    }
    Reads(family);
  }

 private:
  static std::string Search(const SearchReport& search, std::uint32_t classes, std::uint64_t bytes,
                            const Family& family) {
    std::string text = Count(search.intervals, "interval") + " in " + std::to_string(classes) +
                       (classes == 1 ? " class, " : " classes, ") + std::to_string(bytes) +
                       " bytes, at most " + Count(search.depth, "step");
    if (family.shape.root_bits != 0) {
      return text + (family.shape.direct != 0 ? " behind a root word" : " behind a cell");
    }
    return text + " by the upper half and " + std::to_string(search.low_depth) + " by the lower";
  }

  void Reads(const Family& family) {
    const LineCount& lines = family.lines;
    Line("  lines", "at most " + std::to_string(lines.bound) + " of memory for a packet");
    Line("", Mean(lines.mappings) + " over " + Count(lines.mappings.packets, "packet") +
                 ", one for each mapping");
    const std::string all = Count(lines.all_pairs, "pair") + " of addresses where intervals end";
    Line("", Mean(lines.pairs) + " over " +
                 (lines.pairs.packets == lines.all_pairs
                      ? all
                      : std::to_string(lines.pairs.packets) + " of the " + all));
  }
  static std::string Mean(const budget::Reads& reads) {
    return Fixed(reads.mean) + " on average and " + std::to_string(reads.most) + " at most,";
  }

  std::ostream& out_;
};

std::string Ports(const classify::Tables& tables) {
  const march_shape& shape = tables.shape;
  const std::size_t most = tables.report.most_at_once.size();
  std::string text = Count(tables.report.sets, "set") + " of protocols and ports";
  if (shape.set_depth != 0) text += ", " + Count(shape.set_depth, "halving") + " to search one";
  text += "; up to " + Count(most, "mapping") + " in one place";
  if (shape.list_max != 0)
    text += ", up to " + std::to_string(shape.list_max) + " of them in lists";
  if (shape.table_depth == 0) return text + ", no table over ports";
  text += ", " + Count(tables.report.l4_tables, "table") + " over ports of up to " +
          Count(shape.table_depth, "halving");
  if (shape.source_port_depth != 0) {
    text += ", and of " + std::to_string(shape.source_port_depth) + " over source ports";
  }
  return text;
}

std::string Kernel(const CostReport& report) {
  if (!report.loaded) return "not loaded: " + report.not_loaded;
  const bpf::LoadFigures& figures = *report.loaded;
  std::string text = "Linux " + figures.kernel_release + " loaded it in " +
                     Fixed(static_cast<double>(figures.load_time.count()) / 1000) + " ms";
  text += figures.verified_instructions != 0
              ? ", having verified " + Count(figures.verified_instructions, "instruction")
              : ", and does not say how many instructions it verified";
  text += figures.native_bytes != 0 ? "; " + std::to_string(figures.native_bytes) + " bytes native"
                                    : "; how many bytes native it does not say";
  return text;
}

void PrintText(const CostReport& report, std::ostream& out) {
  const classify::Tables& tables = *report.compilation.tables;
  TextPrinter printer(out);
  for (const Family& family : FamiliesOf(report)) printer.Print(family, report);
  printer.Line("ports", Ports(tables));
  printer.Line("tables", std::to_string(tables.words.size() * sizeof(std::uint64_t)) +
                             " bytes, of which " + std::to_string(tables.report.leaf_bytes) +
                             " for lists, tables over ports and sets");
  const clang::BpfObject& object = *report.compilation.object;
  printer.Line("program", Count(object.instructions, "instruction") + ", " +
                              std::to_string(object.stack_bytes) + " of " +
                              std::to_string(budget::kMaxStackBytes) + " bytes of stack");
  const budget::Estimate estimate = budget::EstimateVerified(tables.shape);
  printer.Line("verifier", "at most " + std::to_string(estimate.total()) + " of " +
                               std::to_string(report.options.budget.max_verified) +
                               " instructions by estimate: " + std::to_string(estimate.frame) +
                               " for the frame, " + std::to_string(estimate.gateway) +
                               " for what a gateway may ask for, " +
                               std::to_string(estimate.addresses) + " for addresses, " +
                               std::to_string(estimate.rows) + " for rows, " +
                               std::to_string(estimate.lists) + " for lists and sets, " +
                               std::to_string(estimate.l4_tables) + " for tables over ports");
  printer.Line("kernel", Kernel(report));
}

json SearchJson(const SearchReport& search, std::uint32_t classes, std::uint64_t bytes) {
  return {{"intervals", search.intervals},
          {"classes", classes},
          {"bytes", bytes},
          {"depth", search.depth},
          {"low_depth", search.low_depth}};
}

json RowsJson(std::uint32_t mappings, const classify::ViewCost& cost) {
  return {{"mappings", mappings}, {"entries", cost.entries}, {"entries_instead", cost.instead}};
}

json ReadsJson(const budget::Reads& reads) {
  return {{"packets", reads.packets},
          {"mean", std::round(reads.mean * 1000) / 1000},
          {"most", reads.most}};
}

json FamilyJson(const Family& family, const CostReport& report) {
  const FamilyReport& r = family.report;
  json pairs = ReadsJson(family.lines.pairs);
  pairs["of"] = family.lines.all_pairs;
  json matrix = {{"mappings", r.rules_in_matrix},
                 {"sources", r.matrix_sources},
                 {"destinations", r.matrix_destinations},
                 {"bytes", r.matrix_bytes},
                 {"entries_instead", r.in_matrix.entries}};
  if (r.rules_in_matrix != 0) matrix["why"] = WhyMatrix(family, report);
  return {{"family", family.name},
          {"source", SearchJson(r.source, r.source_classes, r.source_bytes)},
          {"destination", SearchJson(r.destination, r.destination_classes, r.destination_bytes)},
          {"shared_search", family.shape.shared != 0},
          {"by_source", RowsJson(r.rules_by_source, r.by_source)},
          {"by_destination", RowsJson(r.rules_by_destination, r.by_destination)},
          {"matrix", std::move(matrix)},
          {"rows",
           {{"bytes", r.row_bytes},
            {"pairs", r.pairs},
            {"source_tail", family.shape.source_tail},
            {"destination_tail", family.shape.destination_tail}}},
          {"lines",
           {{"bound", family.lines.bound},
            {"mappings", ReadsJson(family.lines.mappings)},
            {"pairs", std::move(pairs)}}}};
}

json KernelJson(const CostReport& report) {
  if (!report.loaded) return {{"loaded", false}, {"why", report.not_loaded}};
  const bpf::LoadFigures& figures = *report.loaded;
  json kernel = {{"loaded", true},
                 {"release", figures.kernel_release},
                 {"load_microseconds", figures.load_time.count()},
                 {"verified_instructions", nullptr},
                 {"native_bytes", nullptr}};
  if (figures.verified_instructions != 0) {
    kernel["verified_instructions"] = figures.verified_instructions;
  }
  if (figures.native_bytes != 0) kernel["native_bytes"] = figures.native_bytes;
  return kernel;
}

void PrintJson(const CostReport& report, std::ostream& out) {
  const classify::Tables& tables = *report.compilation.tables;
  const clang::BpfObject& object = *report.compilation.object;
  const budget::Estimate estimate = budget::EstimateVerified(tables.shape);
  json families = json::array();
  for (const Family& family : FamiliesOf(report)) families.push_back(FamilyJson(family, report));
  const json document = {{"format_version", 1},
                         {"families", std::move(families)},
                         {"ports",
                          {{"sets", tables.report.sets},
                           {"set_depth", tables.shape.set_depth},
                           {"most_mappings", tables.report.most_at_once.size()},
                           {"list_max", tables.shape.list_max},
                           {"tables", tables.report.l4_tables},
                           {"table_depth", tables.shape.table_depth},
                           {"source_port_depth", tables.shape.source_port_depth}}},
                         {"tables",
                          {{"bytes", tables.words.size() * sizeof(std::uint64_t)},
                           {"leaf_bytes", tables.report.leaf_bytes}}},
                         {"program",
                          {{"instructions", object.instructions},
                           {"stack_bytes", object.stack_bytes},
                           {"most_stack_bytes", budget::kMaxStackBytes}}},
                         {"verifier",
                          {{"allowed", report.options.budget.max_verified},
                           {"estimate", estimate.total()},
                           {"frame", estimate.frame},
                           {"gateway", estimate.gateway},
                           {"addresses", estimate.addresses},
                           {"rows", estimate.rows},
                           {"lists", estimate.lists},
                           {"l4_tables", estimate.l4_tables}}},
                         {"kernel", KernelJson(report)}};
  out << document.dump(2) << "\n";
}

}  // namespace

void Print(const CostReport& report, const std::string& format, std::ostream& out) {
  if (format == "json") return PrintJson(report, out);
  PrintText(report, out);
}

}  // namespace march::cli
