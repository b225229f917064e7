// marchctl lint POLICY: what a policy says that it need not, or surely does not mean.
#include <memory>

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
  pipeline::Options options;
};

int Run(Environment& environment, const Flags& flags) {
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kRules, flags.options);
  Diagnostics findings = compilation.diagnostics;
  if (compilation.ok()) {
    const Diagnostics more = lint::Lint(*compilation.policy, *compilation.rules);
    findings.insert(findings.end(), more.begin(), more.end());
    SortByPlace(findings);
  }
  PrintFindings({"lint", flags.policy, compilation.sources, findings}, flags.format, environment);
  if (!compilation.ok()) return ExitCodeOf(compilation.diagnostics);
  if (!findings.empty()) return kTestsFailed;
  if (flags.format == "text") environment.out << flags.policy << ": nothing to complain about\n";
  return kOk;
}

}  // namespace

void AddLint(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("lint", "Find what a policy need not say, or cannot mean");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  AddOutputOption(*verb, flags->format, FindingFormats());
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
