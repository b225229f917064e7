// The policy language, held against tests/golden: `diagnostics/` has one fault per input and what
// is printed for it, `lint/` has what lint finds, `model/` has policies and what they mean,
// `ownership/` has changes. An input is a file, or a directory of files that are one policy.
#include <catch2/catch.hpp>
#include <filesystem>
#include <tuple>

#include "base/print.h"
#include "compiler/lint/lint.h"
#include "compiler/model/policy.h"
#include "compiler/ownership/change.h"
#include "compiler/policytest/test_case.h"
#include "compiler/ruleset/ambiguity.h"
#include "compiler/space/flow.h"
#include "tests/golden/golden.h"

namespace march {
namespace {

constexpr const char* kDiagnostics = "tests/golden/diagnostics/";
constexpr const char* kLint = "tests/golden/lint/";
constexpr const char* kOwnership = "tests/golden/ownership/";
constexpr const char* kModel = "tests/golden/model/";

SourceSet Load(const std::string& root, const std::string& name) {
  std::vector<std::string> names;
  if (std::filesystem::is_directory(root + name)) {
    for (const std::string& file : golden::Inputs(root + name)) names.push_back(name + "/" + file);
  } else {
    names.push_back(name);
  }
  SourceSet sources;
  for (const std::string& file : names) {
    sources.push_back(std::make_shared<Source>(file, golden::ReadFile(root + file)));
  }
  return sources;
}

// The diagnostics, with those of what cannot be enforced yet; then the policy if there is one.
std::pair<std::string, std::string> Compiled(const SourceSet& sources) {
  const auto doc = yaml::ParsePolicyDoc(sources);
  if (!doc) return {TextOf(doc.diagnostics()), ""};
  const auto policy = model::BuildPolicy(*doc);
  if (!policy) return {TextOf(policy.diagnostics()), ""};
  const auto rules = ruleset::OrderRules(*policy);
  const std::string ambiguous = rules ? TextOf(ruleset::FindAmbiguities(*rules)) : "";
  // The limits of the goldens about ambiguity would only repeat themselves.
  const std::string later = ambiguous.empty() ? TextOf(policy->unenforced) : ambiguous;
  const std::string tests = TextOf(policytest::ReadTests(*doc, *policy).diagnostics());
  const std::string owners = TextOf(ownership::ReadOwnership(*doc, *policy).diagnostics());
  return {TextOf(policy.diagnostics()) + later + tests + owners, Dump(*policy)};
}

TEST_CASE("every fault is shown with its place, cause and remedy") {
  for (const std::string& name : golden::Inputs(kDiagnostics)) {
    CAPTURE(name);
    SourceSet sources = Load(kDiagnostics, name);
    const std::string expected =
        kDiagnostics + std::filesystem::path(name).stem().string() + ".expected";
    if (name.ends_with(".flow")) {
      golden::CheckGolden(expected, TextOf(space::ParseFlow(*sources[0]).diagnostics()));
      continue;
    }
    const std::string printed = Compiled(sources).first;
    CHECK_FALSE(printed.empty());
    golden::CheckGolden(expected, printed);
    std::reverse(sources.begin(), sources.end());
    CHECK(Compiled(sources).first == printed);
  }
}

TEST_CASE("what lint finds is shown with its cause and a remedy") {
  for (const std::string& name : golden::Inputs(kLint)) {
    CAPTURE(name);
    SourceSet sources = Load(kLint, name);
    const auto policy = model::BuildPolicy(*yaml::ParsePolicyDoc(sources));
    INFO(TextOf(policy.diagnostics()));
    REQUIRE(policy.ok());
    golden::CheckGolden(kLint + std::filesystem::path(name).stem().string() + ".expected",
                        TextOf(lint::Lint(*policy, *ruleset::OrderRules(*policy))));
  }
}

// A directory with the policy before and after, and who changed it.
TEST_CASE("a change that is not its author's is shown with a reason and who may") {
  for (const std::string& name : golden::Inputs(kOwnership)) {
    CAPTURE(name);
    const std::string root = kOwnership + name + "/";
    const auto state = [&](const std::string& file) {
      SourceSet sources = Load(root, file);
      auto doc = *yaml::ParsePolicyDoc(sources);
      auto policy = *model::BuildPolicy(doc);
      auto rules = *ruleset::OrderRules(policy);
      auto owners = *ownership::ReadOwnership(doc, policy);
      return std::tuple(std::move(sources), std::move(policy), std::move(rules), std::move(owners));
    };
    const auto base = state("base.yaml");
    const auto next = state("next.yaml");
    std::string who = golden::ReadFile(root + "changed-by");
    who.pop_back();
    const auto faults =
        ownership::CheckChange({std::get<1>(base), std::get<2>(base), std::get<3>(base)},
                               {std::get<1>(next), std::get<2>(next), std::get<3>(next)}, {who});
    golden::CheckGolden(kOwnership + name + ".expected", TextOf(faults));
  }
}

TEST_CASE("a policy means what it says, in whatever order it is read") {
  for (const std::string& name : golden::Inputs(kModel)) {
    CAPTURE(name);
    SourceSet sources = Load(kModel, name);
    const auto [printed, dump] = Compiled(sources);
    CHECK(printed.find("error[M02") == printed.find("error[M0214"));
    golden::CheckGolden(kModel + std::filesystem::path(name).stem().string() + ".expected", dump);
    std::reverse(sources.begin(), sources.end());
    CHECK(Compiled(sources).second == dump);
  }
}

}  // namespace
}  // namespace march
