#include "runtime/telemetry/metrics.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/version.h"
#include "bundle/mappings.h"
#include "runtime/telemetry/statistics.h"

namespace march::telemetry {
namespace {

struct Label {
  std::string_view name;
  std::string_view value;
};

class Writer {
 public:
  // `name` must live until the next family.
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void Sample(std::initializer_list<Label> labels, std::uint64_t value) {
    text_ += name_;
    char separator = '{';
    for (const Label& label : labels) {
      text_ += separator;
      text_.append(label.name).append("=\"");
      AppendEscaped(label.value);
      text_ += '"';
      separator = ',';
    }
    if (labels.size() > 0) text_ += '}';
    text_.append(" ").append(std::to_string(value)).append("\n");
  }

  std::string Take() { return std::move(text_); }

 private:
  void AppendEscaped(std::string_view value) {
    for (const char c : value) {
      if (c == '\\' || c == '"') {
        text_ += '\\';
        text_ += c;
      } else if (c == '\n') {
        text_ += "\\n";
      } else {
        text_ += c;
      }
    }
  }

  std::string text_;
  std::string_view name_;
};

using Part = std::uint64_t Count::*;

// Of the mappings that are under audit, or of the others; former ones too.
void WriteMappings(const Snapshot& snapshot, bool audits, Part part, Writer& writer) {
  const auto write = [&](const auto& row) {
    if (bundle::IsAudit(row.action) != audits || row.action == kAboveLimit) return;
    writer.Sample({{"mapping", row.name}, {"action", row.action}}, row.count.*part);
  };
  std::for_each(snapshot.mappings.begin(), snapshot.mappings.end(), write);
  std::for_each(snapshot.retired.begin(), snapshot.retired.end(), write);
}

void WriteCounts(const Snapshot& snapshot, std::string_view unit, Part part, Writer& writer) {
  const std::string of_unit(unit);
  const std::string total = of_unit + "_total";
  const std::string mapping = "march_" + total;
  writer.Family(mapping, "counter", "Judged by a mapping, in " + of_unit + ".");
  WriteMappings(snapshot, false, part, writer);
  // These packets are among those of the other families too, and would spoil a sum.
  const std::string audited = "march_audited_" + total;
  writer.Family(audited, "counter",
                "Would be judged by a mapping under audit, in " + of_unit + ".");
  WriteMappings(snapshot, true, part, writer);
  const std::string above = "march_above_limit_" + total;
  writer.Family(above, "counter", "Above the limit of a mapping, in " + of_unit + ".");
  for (const MappingCount& row : snapshot.mappings) {
    if (row.above_limit) writer.Sample({{"mapping", row.name}}, *row.above_limit.*part);
  }
  for (const RetiredCount& row : snapshot.retired) {
    if (row.action == kAboveLimit) writer.Sample({{"mapping", row.name}}, row.count.*part);
  }
  const std::string defaults = "march_default_" + total;
  writer.Family(defaults, "counter", "Judged by defaults.action, in " + of_unit + ".");
  for (const auto& [action, count] : snapshot.defaults) {
    writer.Sample({{"action", action}}, count.*part);
  }
  const std::string slots = "march_unclassified_" + total;
  writer.Family(slots, "counter",
                "Decided before any mapping, or above its limit, in " + of_unit + ".");
  for (const SlotCount& row : snapshot.slots) {
    writer.Sample({{"reason", row.name}, {"action", row.passes ? "allow" : "drop"}},
                  row.count.*part);
  }
  const std::string retired = "march_retired_" + total;
  writer.Family(retired, "counter",
                "Judged by former mappings too many to name, in " + of_unit + ".");
  writer.Sample({}, snapshot.retired_rest.*part);
}

void WriteFlows(const Snapshot& snapshot, Writer& writer) {
  if (snapshot.flow_tables.empty()) return;
  writer.Family("march_flows", "gauge", "Connections that live.");
  for (const FlowTableState& table : snapshot.flow_tables) {
    writer.Sample({{"table", table.name}}, table.flows);
  }
  writer.Family("march_flow_table_capacity", "gauge", "Connections that there is room for.");
  for (const FlowTableState& table : snapshot.flow_tables) {
    writer.Sample({{"table", table.name}}, table.capacity);
  }
  writer.Family("march_flow_table_full", "gauge",
                "1 when a connection found no room there in the last minute.");
  for (const FlowTableState& table : snapshot.flow_tables) {
    writer.Sample({{"table", table.name}}, table.is_full ? 1 : 0);
  }
}

void WriteBlockList(const Snapshot& snapshot, Writer& writer) {
  if (!snapshot.block_list) return;
  writer.Family("march_block_list_entries", "gauge", "Prefixes on the block list.");
  writer.Sample({}, snapshot.block_list->entries);
  writer.Family("march_block_list_capacity", "gauge", "Prefixes that there is room for.");
  writer.Sample({}, snapshot.block_list->capacity);
}

void WriteStatistics(const Snapshot& snapshot, Writer& writer) {
  for (const StatisticInfo& statistic : Statistics()) {
    if (statistic.which >= snapshot.statistics.size()) continue;
    const std::string name = "march_" + std::string(statistic.name) + "_total";
    writer.Family(name, "counter", statistic.help);
    writer.Sample({}, snapshot.statistics[statistic.which]);
  }
}

}  // namespace

std::string_view NameOf(Enforcement enforcement) {
  switch (enforcement) {
    case Enforcement::kEnforcing:
      return "enforcing";
    case Enforcement::kLockdown:
      return "lockdown";
    case Enforcement::kNoPolicy:
      break;
  }
  return "no-policy";
}

std::string MetricsText(const Snapshot& snapshot) {
  Writer writer;
  writer.Family("march_build_info", "gauge", "Constant 1; the version is a label.");
  writer.Sample({{"version", kVersion}}, 1);
  writer.Family("march_enforcement", "gauge", "1 for the state that holds.");
  for (const Enforcement state :
       {Enforcement::kEnforcing, Enforcement::kLockdown, Enforcement::kNoPolicy}) {
    writer.Sample({{"state", NameOf(state)}}, snapshot.enforcement == state ? 1 : 0);
  }
  writer.Family("march_generation", "gauge", "The generation in force, 0 without one.");
  writer.Sample({}, snapshot.generation);
  writer.Family("march_bundle_serial", "gauge", "The serial of the bundle in force.");
  writer.Sample({}, snapshot.serial);
  writer.Family("march_policy_info", "gauge", "Constant 1; the policy in force is in the labels.");
  if (snapshot.enforcement == Enforcement::kEnforcing) {
    writer.Sample({{"digest", snapshot.policy_digest}, {"cluster", snapshot.cluster}}, 1);
  }
  writer.Family("march_swaps_total", "counter", "Bundles applied since marchd started.");
  writer.Sample({}, snapshot.swaps);
  writer.Family("march_refused_bundles_total", "counter", "Bundles refused since marchd started.");
  writer.Sample({}, snapshot.refused);
  writer.Family("march_interface_attached", "gauge", "1 when marchd's program runs there.");
  for (const InterfaceState& interface : snapshot.interfaces) {
    writer.Sample({{"interface", interface.name}, {"mode", interface.mode}},
                  interface.mode.empty() ? 0 : 1);
  }
  writer.Family("march_interface_fast", "gauge",
                "1 when packets between this and another such interface pass the kernel by.");
  for (const InterfaceState& interface : snapshot.interfaces) {
    writer.Sample({{"interface", interface.name}}, interface.fast ? 1 : 0);
  }
  WriteCounts(snapshot, "packets", &Count::packets, writer);
  WriteCounts(snapshot, "bytes", &Count::bytes, writer);
  WriteFlows(snapshot, writer);
  WriteBlockList(snapshot, writer);
  WriteStatistics(snapshot, writer);
  return writer.Take();
}

}  // namespace march::telemetry
