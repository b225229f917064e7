// marchctl validate POLICY: is it a policy, and is a change of it its author's to make.
#include <memory>
#include <optional>

#include "cli/exit_code.h"
#include "cli/output/findings.h"
#include "cli/output/format.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/pipeline/review.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string format;
  std::string who;   // "" for nobody in particular
  std::string base;  // likewise
  pipeline::Options options;
};

std::string Count(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

ownership::State StateOf(const pipeline::Compilation& compilation) {
  return {*compilation.policy, *compilation.rules, *compilation.ownership};
}

// Texts that diagnostics point into, and the diagnostics.
struct Result {
  SourceSet sources;
  Diagnostics diagnostics;
};

// What is wrong with the change, if both sides of it are policies.
Result CheckChange(Environment& environment, const Flags& flags,
                   const pipeline::Compilation& next) {
  const auto path = pipeline::LocateBase(flags.base, flags.policy);
  if (!path) return {{}, path.diagnostics()};
  const auto base =
      pipeline::Compile(environment.files, *path, pipeline::Stage::kRules, flags.options);
  if (!base.ok()) return {base.sources, base.diagnostics};
  return {base.sources, ownership::CheckChange(StateOf(base), StateOf(next), flags.who)};
}

void PrintSummary(const pipeline::Compilation& compilation, const Flags& flags, std::ostream& out) {
  out << flags.policy << ": valid, " << Count(compilation.policy->services.size(), "service")
      << ", " << Count(compilation.policy->mappings.size(), "mapping") << " in "
      << Count(compilation.sources.size(), "file") << "\n";
  if (!flags.base.empty()) {
    out << "every change since " << flags.base << " is for " << flags.who << " to make\n";
  }
  const Diagnostics& unenforced = compilation.policy->unenforced;
  if (unenforced.empty()) return;
  out << Count(unenforced.size(), "setting")
      << " cannot be enforced by this version, and `compile` refuses them; the first: "
      << unenforced.front().range.ToString() << "\n";
}

int Run(Environment& environment, const Flags& flags) {
  // The rules stage is the last that can find a fault in the policy's meaning.
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kRules, flags.options);
  Result result{compilation.sources, compilation.diagnostics};
  if (compilation.ok() && !flags.base.empty()) {
    Result change = CheckChange(environment, flags, compilation);
    result.sources.insert(result.sources.end(), change.sources.begin(), change.sources.end());
    result.diagnostics.insert(result.diagnostics.end(), change.diagnostics.begin(),
                              change.diagnostics.end());
  }
  PrintFindings({"validate", flags.policy, result.sources, result.diagnostics}, flags.format,
                environment);
  const ExitCode code = ExitCodeOf(result.diagnostics);
  if (code == kOk && flags.format == "text") {
    PrintSummary(compilation, flags, environment.out);
  }
  return code;
}

}  // namespace

void AddValidate(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("validate", "Check a policy's syntax, schema and meaning");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  AddOutputOption(*verb, flags->format, FindingFormats());
  auto* who = verb->add_option("--changed-by", flags->who,
                               "Whose change it is: an e-mail address, or a key's fingerprint");
  auto* base = verb->add_option("--base", flags->base, "The policy before the change: a POLICY");
  who->needs(base);
  base->needs(who);
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
