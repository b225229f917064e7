// marchctl explain POLICY FLOW: the verdict on one flow, who decided it and who else would have; or
// the verdicts on a set of flows.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/verbs/explain.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/engines.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string flow;
  std::string format;
  pipeline::Options options;
};

// Everything there is to say, before it is put into a format.
struct Explanation {
  const model::Policy& policy;
  space::Flow flow;
  prove::Decision decision;
  std::vector<std::uint32_t> others;  // matched, did not decide
  // Where nothing lets it pass: what came nearest.
  std::vector<explain::NearMiss> near = {};
};

constexpr std::size_t kNearest = 3;

std::string WhyLost(const Explanation& e, const model::Mapping& loser) {
  if (!e.decision.mapping) return "a fragment is judged by all ports it could have";
  const model::Mapping& winner = e.policy.mappings[*e.decision.mapping];
  if (loser.priority != winner.priority) {
    return "priority " + std::to_string(loser.priority) + " is below " +
           std::to_string(winner.priority);
  }
  if (loser.action != winner.action) {
    return std::string(ActionName(winner.action)) + " is stricter at equal priority";
  }
  return "same verdict, and its name comes later";
}

Path PathOfDecision(const Explanation& e) {
  if (const auto index = e.decision.mapping) {
    return PathOf(e.policy, e.policy.mappings[*index]);
  }
  return {"fast", "no mapping asks for more than the kernel can do"};
}

void PrintText(const Explanation& e, std::ostream& out) {
  out << "flow     " << e.flow.ToString() << "\n"
      << "verdict  " << model::ActionName(e.decision.action) << "\n";
  if (const auto index = e.decision.mapping) {
    const model::Mapping& mapping = e.policy.mappings[*index];
    out << "mapping  " << mapping.name << " (" << mapping.place.ToString() << ")\n";
    if (!mapping.comment.empty()) out << "comment  " << mapping.comment << "\n";
  } else if (e.decision.reason == MARCH_SLOT_FRAGMENT) {
    out << "mapping  none: a later fragment whose ports could matter\n";
  } else {
    out << "mapping  none: defaults.action decides\n";
  }
  const Path path = PathOfDecision(e);
  out << "path     " << path.name << ": " << path.reason << "\n";
  if (const auto index = e.decision.audited_mapping) {
    const model::Mapping& mapping = e.policy.mappings[*index];
    out << "audit    " << mapping.name << " (" << mapping.place.ToString() << ") would "
        << model::ActionName(mapping.action) << " it\n";
  }
  for (const std::uint32_t index : e.others) {
    const model::Mapping& mapping = e.policy.mappings[index];
    out << "matched  " << mapping.name << " (" << mapping.place.ToString() << "), "
        << model::ActionName(mapping.action) << ": " << WhyLost(e, mapping) << "\n";
  }
  const explain::Explainer explainer(e.policy);
  for (const explain::NearMiss& miss : e.near) {
    const model::Mapping& mapping = e.policy.mappings[miss.mapping];
    out << "near     " << mapping.name << " (" << mapping.place.ToString() << ") "
        << explainer.Describe(miss) << "\n";
  }
}

void PrintJson(const Explanation& e, std::ostream& out) {
  nlohmann::json others = nlohmann::json::array();
  for (const std::uint32_t index : e.others) {
    nlohmann::json other = MappingJson(e.policy.mappings[index]);
    other["why_not"] = WhyLost(e, e.policy.mappings[index]);
    others.push_back(std::move(other));
  }
  nlohmann::json near = nlohmann::json::array();
  const explain::Explainer explainer(e.policy);
  for (const explain::NearMiss& miss : e.near) {
    nlohmann::json item = MappingJson(e.policy.mappings[miss.mapping]);
    item["text"] = explainer.Describe(miss);
    near.push_back(std::move(item));
  }
  const auto index = e.decision.mapping;
  const Path path = PathOfDecision(e);
  const auto audited = e.decision.audited_mapping;
  const nlohmann::json document = {
      {"format_version", 1},
      {"flow", e.flow.ToString()},
      {"verdict", model::ActionName(e.decision.action)},
      {"mapping", index ? MappingJson(e.policy.mappings[*index]) : nlohmann::json()},
      {"path", path.name},
      {"path_reason", path.reason},
      {"audit", audited ? MappingJson(e.policy.mappings[*audited]) : nlohmann::json()},
      {"also_matched", std::move(others)},
      {"near", std::move(near)}};
  out << document.dump(2) << "\n";
}

// What the policy says of the flow; where the policy can be compiled, also what its tables say.
Outcome<prove::Decision> Decide(const Flags& flags, const pipeline::Compilation& compilation,
                                const space::Flow& flow) {
  auto expected = prove::ModelEngine(*compilation.policy).Decide(flow);
  if (!compilation.policy->unenforced.empty()) return expected;
  const auto tables = pipeline::BuildTables(compilation, flags.options);
  if (!tables) return tables.diagnostics();
  const auto decision = prove::TablesEngine(*tables).Decide(flow);
  if (*decision == *expected) return expected;
  return MakeDiagnostic(Code::kEnginesDiffer, {},
                        "the tables say " + prove::DeciderName(*compilation.policy, *decision) +
                            ", the policy says " +
                            prove::DeciderName(*compilation.policy, *expected),
                        "this is a defect of marchctl; please report it with the policy");
}

int Run(Environment& environment, const Flags& flags) {
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kRules, flags.options);
  const ExitCode code = Report(environment, compilation.diagnostics);
  if (code != kOk) return code;

  const Source text("FLOW", flags.flow);
  const auto flow = space::ParseFlow(text);
  if (!flow) {
    const auto packets = ruleset::ParseFlowSet(text, *compilation.policy);
    if (!packets) {
      Report(environment, packets.diagnostics());
      return kUsage;
    }
    ExplainSet(compilation, flags.flow, *packets, flags.format, environment.out);
    return kOk;
  }
  const auto decision = Decide(flags, compilation, *flow);
  if (!decision) return Report(environment, decision.diagnostics());
  std::vector<std::uint32_t> others = prove::ModelEngine(*compilation.policy).Matching(*flow);
  if (decision->mapping) std::erase(others, *decision->mapping);
  Explanation explanation{*compilation.policy, *flow, *decision, std::move(others)};
  if (decision->reason == MARCH_SLOT_DEFAULT && decision->action == model::Action::kDeny) {
    explanation.near = explain::Explainer(*compilation.policy).Nearest(*flow, kNearest);
  }
  if (flags.format == "json") {
    PrintJson(explanation, environment.out);
  } else {
    PrintText(explanation, environment.out);
  }
  return kOk;
}

}  // namespace

Path PathOf(const model::Policy& policy, const model::Mapping& mapping) {
  if (mapping.action == model::Action::kProxy) {
    return {"slow", "its action is \"proxy\", so the proxy decides"};
  }
  for (const model::Attribute& attribute : mapping.attributes) {
    if (attribute.name == "auth" || attribute.name == "tls" || attribute.name == "http") {
      return {"slow", "it has \"" + attribute.name +
                          "\", which no single packet shows, so the proxy decides"};
    }
  }
  for (const auto* const end : {&mapping.from, &mapping.to}) {
    if (!*end) continue;
    for (const std::uint32_t index : **end) {
      if (!policy.services[index].has_names) continue;
      return {"slow", "the service \"" + policy.services[index].name +
                          "\" has names, so the proxy decides"};
    }
  }
  return {"fast", "addresses, protocol and ports are all it takes, so the kernel decides (XDP)"};
}

nlohmann::json MappingJson(const model::Mapping& mapping) {
  return {{"name", mapping.name},
          {"action", model::ActionName(mapping.action)},
          {"priority", mapping.priority},
          {"place", mapping.place.ToString()}};
}

void AddExplain(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb =
      app.add_subcommand("explain", "Say what happens to a flow, or to a set of flows, and why");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  verb->add_option("FLOW", flags->flow,
                   "\"tcp 10.0.0.1:40000 > 10.0.0.2:443\", or \"tcp payments > any:443\"")
      ->required();
  AddOutputOption(*verb, flags->format);
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
