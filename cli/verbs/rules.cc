// marchctl rules --target T: the mappings a gateway enforces, with what they have counted.
#include <memory>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

struct Flags {
  std::string target;
  std::string format;
};

using Rows = std::vector<std::vector<std::string>>;

void AddRow(Rows& rows, const std::string& name, const nlohmann::json& item,
            const std::string& priority, const std::string& place) {
  rows.push_back({name, item.value("action", std::string()),
                  std::to_string(item.value("packets", std::uint64_t{0})),
                  std::to_string(item.value("bytes", std::uint64_t{0})), priority, place});
}

bool Counted(const nlohmann::json& item) {
  return item.value("packets", std::uint64_t{0}) > 0;
}

int Run(Environment& environment, const Flags& flags) {
  const auto rules = Call(flags.target, "GET", "/v1/rules");
  if (!rules) return Report(environment, rules.diagnostics());
  if (flags.format == "json") {
    environment.out << rules->dump(2) << "\n";
    return kOk;
  }
  const auto list = [&](const char* key) { return rules->value(key, nlohmann::json::array()); };
  Rows rows = {{"MAPPING", "ACTION", "PACKETS", "BYTES", "PRIORITY", "PLACE"}};
  for (const auto& item : list("mappings")) {
    AddRow(rows, item.value("name", std::string()), item, std::to_string(item.value("priority", 0)),
           item.value("place", std::string()));
    if (!item.contains("above_limit")) continue;
    AddRow(rows, item.value("name", std::string()) + ", above its limit", item["above_limit"], "",
           "");
  }
  for (const auto& item : list("defaults")) {
    // The default of an earlier policy shows only for what it has counted.
    if (item.value("current", false) || Counted(item)) AddRow(rows, "(default)", item, "", "");
  }
  // Packets that no mapping judges: only those that there were.
  for (const auto& item : list("slots")) {
    if (Counted(item)) AddRow(rows, "(" + item.value("name", std::string()) + ")", item, "", "");
  }
  environment.out << AlignColumns(rows);
  return kOk;
}

}  // namespace

void AddRules(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("rules", "Show a gateway's mappings and their counters");
  const auto flags = std::make_shared<Flags>();
  AddTargetOption(*verb, flags->target);
  AddOutputOption(*verb, flags->format);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
