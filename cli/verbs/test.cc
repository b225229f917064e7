// marchctl test POLICY [TESTS]: does the policy do what its tests expect, and would they notice if
// it did not?
#include <array>
#include <cstdio>
#include <memory>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/output/test_report.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string tests;
  std::string format;
  bool coverage = false;
  bool mutate = false;
  double min_coverage = 0;
  double min_mutation = 0;
  pipeline::Options options;
};

Outcome<std::vector<policytest::TestCase>> Read(const pipeline::Compilation& compilation,
                                                const yaml::PolicyDoc& doc,
                                                const std::string& path) {
  auto tests = policytest::ReadTests(doc, *compilation.policy);
  if (tests.ok() && tests->empty()) {
    return MakeDiagnostic(
        Code::kNoTests, {}, "there are no tests in " + path,
        "a document of tests begins with apiVersion: march/v1 and kind: PolicyTest");
  }
  return tests;
}

int Run(Environment& environment, const Flags& flags) {
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kRules, flags.options);
  const ExitCode code = Report(environment, compilation.diagnostics);
  if (code != kOk) return code;

  std::optional<pipeline::Documents> apart;
  if (!flags.tests.empty()) {
    auto documents = pipeline::LoadDocuments(environment.files, flags.tests, flags.options);
    if (!documents) return Report(environment, documents.diagnostics());
    apart = *std::move(documents);
  }
  const auto tests =
      Read(compilation, apart ? apart->doc : *compilation.doc, apart ? flags.tests : flags.policy);
  if (!tests) return Report(environment, tests.diagnostics());

  TestReport report{compilation, *tests, {}, std::nullopt, std::nullopt};
  for (const auto& test : *tests)
    report.failures.push_back(policytest::Run(test, *compilation.rules));
  if (flags.coverage || flags.min_coverage > 0) {
    report.coverage = policytest::Measure(*tests, *compilation.rules);
  }
  if (flags.mutate || flags.min_mutation > 0)
    report.mutants = policytest::Mutate(*tests, *compilation.rules);
  Print(report, flags.format, environment.out);

  bool good = report.failed() == 0;
  const auto demand = [&](const char* what, double share, double percent) {
    if (share * 100 >= percent) return;
    good = false;
    std::array<char, 160> text{};
    std::snprintf(text.data(), text.size(), "marchctl: %s is %.1f %%, below the %.1f %% demanded\n",
                  what, share * 100, percent);
    environment.err << text.data();
  };
  if (report.coverage) demand("coverage", report.coverage->rule_share(), flags.min_coverage);
  if (report.mutants) demand("the mutation score", report.mutation_score(), flags.min_mutation);
  return good ? kOk : kTestsFailed;
}

}  // namespace

void AddTest(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("test", "Run a policy's tests, and measure them");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  verb->add_option("TESTS", flags->tests, "File or directory of tests; default: those in POLICY");
  verb->add_flag("--coverage", flags->coverage, "Tell which mappings and packets the tests decide");
  verb->add_flag("--mutate", flags->mutate, "Tell which changes of the policy no test notices");
  verb->add_option("--min-coverage", flags->min_coverage,
                   "Fail if tests decide fewer percent of the mappings")
      ->check(CLI::Range(0.0, 100.0));
  verb->add_option("--min-mutation", flags->min_mutation,
                   "Fail if tests notice fewer percent of the changes")
      ->check(CLI::Range(0.0, 100.0));
  AddOutputOption(*verb, flags->format, {"text", "json", "junit", "tap"});
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
