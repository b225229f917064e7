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
  std::string email;  // of whose change it is; or
  std::string key;    // the fingerprint of whose key signed it
  std::string base;
  pipeline::Options options;
};

std::string Count(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

ownership::State StateOf(const pipeline::Compilation& compilation) {
  return {*compilation.policy, *compilation.rules, *compilation.ownership};
}

ownership::Author AuthorOf(const Flags& flags) {
  return flags.key.empty() ? ownership::Author{flags.email, false}
                           : ownership::Author{flags.key, true};
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
  return {base.sources, ownership::CheckChange(StateOf(base), StateOf(next), AuthorOf(flags))};
}

void PrintSummary(const pipeline::Compilation& compilation, const Flags& flags, std::ostream& out) {
  out << flags.policy << ": valid, " << Count(compilation.policy->services.size(), "service")
      << ", " << Count(compilation.policy->mappings.size(), "mapping") << " in "
      << Count(compilation.sources.size(), "file") << "\n";
  if (!flags.base.empty()) {
    out << "every change since " << flags.base << " is for " << AuthorOf(flags).name
        << " to make\n";
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
  // An empty word is a variable that somebody forgot to set, and would switch the check off.
  const CLI::Validator not_empty(
      [](std::string& text) { return text.empty() ? std::string("must not be empty") : ""; }, "");
  auto* email =
      verb->add_option("--changed-by", flags->email, "Whose change it is, by e-mail address")
          ->check(not_empty)
          ->type_name("EMAIL");
  auto* key =
      verb->add_option("--signed-by", flags->key, "Whose change it is, by a key's fingerprint")
          ->check(not_empty)
          ->type_name("FINGERPRINT");
  auto* base = verb->add_option("--base", flags->base, "The policy before the change")
                   ->check(not_empty)
                   ->type_name("POLICY");
  email->needs(base)->excludes(key);
  key->needs(base);
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] {
    if (!flags->base.empty() && AuthorOf(*flags).name.empty()) {
      throw CLI::RequiresError("--base", "--changed-by or --signed-by");
    }
    exit_code = Run(environment, *flags);
  });
}

}  // namespace march::cli
