// A policy in a test, compiled as far as its rules.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/print.h"
#include "compiler/model/policy.h"
#include "compiler/ruleset/ruleset.h"

namespace march::tests {

struct Compiled {
  // Valid, or the test fails.
  explicit Compiled(const std::string& text)
      : source(std::make_shared<const Source>("p.yaml", text)),
        doc(*yaml::ParsePolicyDoc({source})) {
    auto built = model::BuildPolicy(doc);
    INFO(text << TextOf(built.diagnostics()));
    REQUIRE(built.ok());
    policy = *std::move(built);
    rules = *ruleset::OrderRules(policy);
  }

  std::shared_ptr<const Source> source;
  yaml::PolicyDoc doc;
  model::Policy policy;
  ruleset::RuleSet rules;
};

}  // namespace march::tests
