// The results of policy tests as text, JSON, JUnit XML and TAP.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "compiler/pipeline/pipeline.h"
#include "compiler/pipeline/review.h"

namespace march::cli {

struct TestReport {
  const pipeline::Compilation& compilation;
  const std::vector<policytest::TestCase>& tests;
  std::vector<std::optional<policytest::Failure>> failures;  // parallel to `tests`
  std::optional<policytest::Coverage> coverage;
  std::optional<std::vector<policytest::Mutant>> mutants;

  std::size_t failed() const;
  double mutation_score() const;  // 1 without mutants
};

// `format` is text, json, junit or tap; the last two have the tests alone.
void Print(const TestReport& report, const std::string& format, std::ostream& out);

}  // namespace march::cli
