// marchctl status --target T: what a gateway enforces.
#include <memory>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/human.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

struct Flags {
  std::string target;
  std::string format;
};

int Run(Environment& environment, const Flags& flags) {
  const auto status = Call(flags.target, "GET", "/v1/status");
  if (!status) return Report(environment, status.diagnostics());
  if (flags.format == "json") {
    environment.out << status->dump(2) << "\n";
    return kOk;
  }
  const auto text = [&](const char* key) { return status->value(key, std::string()); };
  const auto number = [&](const char* key) { return status->value(key, std::uint64_t{0}); };
  environment.out << "enforcement  " << text("enforcement") << "\n";
  if (!text("problem").empty()) environment.out << "problem      " << text("problem") << "\n";
  environment.out << "cluster      " << text("cluster") << "\n"
                  << "generation   " << number("generation") << "\n"
                  << "serial       " << number("serial") << " (highest seen "
                  << number("highest_serial") << ")\n"
                  << "policy       " << text("policy_digest") << "\n"
                  << "mappings     " << number("mappings") << ", default " << text("default_action")
                  << "\n";
  for (const auto& interface : status->value("interfaces", nlohmann::json::array())) {
    environment.out << "interface    " << interface.value("name", std::string()) << ", "
                    << interface.value("mode", std::string()) << " XDP";
    if (interface.contains("problem")) {
      environment.out << ": " << interface.value("problem", std::string());
    }
    if (interface.value("forward", std::string()) == "fast") environment.out << ", forwards fast";
    if (interface.contains("forward_problem")) {
      environment.out << ", forwards by the kernel: "
                      << interface.value("forward_problem", std::string());
    }
    environment.out << "\n";
  }
  for (const auto& table : status->value("flow_tables", nlohmann::json::array())) {
    environment.out << "connections  " << Grouped(table.value("flows", std::uint64_t{0})) << " "
                    << table.value("name", std::string()) << ", room for "
                    << Grouped(table.value("capacity", std::uint64_t{0}))
                    << (table.value("full", false) ? ", which was too little in the last minute"
                                                   : "")
                    << "\n";
  }
  if (status->contains("block_list")) {
    const auto& list = (*status)["block_list"];
    environment.out << "block list   " << Grouped(list.value("entries", std::uint64_t{0}))
                    << " prefixes, room for " << Grouped(list.value("capacity", std::uint64_t{0}))
                    << "\n";
  }
  environment.out << "marchd       " << text("version") << ", " << number("swaps") << " swaps, "
                  << number("refused_bundles") << " bundles refused\n";
  return kOk;
}

}  // namespace

void AddStatus(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("status", "Show what a gateway enforces");
  const auto flags = std::make_shared<Flags>();
  AddTargetOption(*verb, flags->target);
  AddOutputOption(*verb, flags->format);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
