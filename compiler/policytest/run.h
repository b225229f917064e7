// Runs policy tests, and measures them: which packets they decide, and which changes of the policy
// they would notice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/policytest/test_case.h"
#include "compiler/ruleset/regions.h"

namespace march::policytest {

// Some flows of a test fare otherwise than expected.
struct Failure {
  space::Flow witness;
  model::Action verdict = model::Action::kDeny;
  std::optional<std::uint32_t> rule;  // who decides; none: the default
};

// None if every flow of the test fares as expected.
std::optional<Failure> Run(const TestCase& test, const ruleset::RuleSet& rules);

struct RuleCoverage {
  std::uint32_t rule = 0;
  double share = 0;  // of the packets that the rule decides, how many some test decides
};

struct Coverage {
  // Of the rules that decide any packet, in order of precedence.
  std::vector<RuleCoverage> rules;
  std::size_t touched = 0;    // how many of them some test touches
  double default_share = 0;   // of the packets that no rule decides
  double space_share = 0;     // of all packets
  double rule_share() const;  // touched, of all; 1 without any
};

Coverage Measure(const std::vector<TestCase>& tests, const ruleset::RuleSet& rules);

// One small change to one rule.
struct Mutant {
  enum class Change { kDrop, kFlip, kWidenSource, kWidenDestination, kWidenPorts };
  Change change = Change::kDrop;
  std::uint32_t rule = 0;
  bool noticed = false;
  std::optional<space::Flow> witness;  // a packet whose verdict it changes
};

// "drop it", "widen \"from\" by a bit", ...
std::string Describe(Mutant::Change change, const ruleset::Rule& rule);

// All changes that change the verdict of some packet, and whether a test fails under them.
std::vector<Mutant> Mutate(const std::vector<TestCase>& tests, const ruleset::RuleSet& rules);

}  // namespace march::policytest
