#include "compiler/policytest/run.h"

#include <algorithm>
#include <utility>

namespace march::policytest {
namespace {

using ruleset::Region;
using ruleset::RuleSet;
using space::PacketSet;

model::Action ActionOf(const RuleSet& rules, const Region& region) {
  return region.rule ? rules.rules[*region.rule].action : rules.default_action;
}

bool IsExpected(const TestCase& test, const RuleSet& rules, const Region& region) {
  if (ActionOf(rules, region) != test.expect) return false;
  if (!test.mapping) return true;
  return region.rule && rules.rules[*region.rule].mapping == *test.mapping;
}

}  // namespace

std::optional<Failure> Run(const TestCase& test, const RuleSet& rules) {
  for (const Region& region : Decide(rules, test.flows)) {
    if (IsExpected(test, rules, region)) continue;
    return Failure{*region.packets.Witness(), ActionOf(rules, region), region.rule};
  }
  return std::nullopt;
}

double Coverage::rule_share() const {
  return rules.empty() ? 1 : static_cast<double>(touched) / static_cast<double>(rules.size());
}

Coverage Measure(const std::vector<TestCase>& tests, const RuleSet& rules) {
  std::vector<PacketSet> by_rule(rules.rules.size());
  PacketSet by_default;
  for (const TestCase& test : tests) {
    for (const Region& region : Decide(rules, test.flows)) {
      (region.rule ? by_rule[*region.rule] : by_default).Add(region.packets);
    }
  }
  Coverage coverage;
  const PacketSet everything = PacketSet::Everything();
  space::PacketCount decided[2] = {0, 0};
  space::PacketCount tested[2] = {0, 0};
  const auto add = [](space::PacketCount(&sums)[2], const PacketSet& set) {
    sums[0] += set.Size(space::Family::kV4);
    sums[1] += set.Size(space::Family::kV6);
  };
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) {
    PacketSet own = PacketsOf(rules.rules[i]);
    for (std::uint32_t j = 0; j < i && !own.empty(); ++j) own.Subtract(PacketsOf(rules.rules[j]));
    if (own.empty()) continue;
    add(decided, own);
    add(tested, by_rule[i]);
    coverage.rules.push_back({i, Share(by_rule[i], own)});
    if (!by_rule[i].empty()) ++coverage.touched;
  }
  double default_sum = 0;
  double space_sum = 0;
  int default_families = 0;
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    const std::size_t f = family == space::Family::kV4 ? 0 : 1;
    const space::PacketCount whole = everything.Size(family);
    const space::PacketCount left = whole - decided[f];
    const space::PacketCount by_nobody = by_default.Size(family);
    if (left > 0) {
      ++default_families;
      default_sum += space::Share(by_nobody, left);
    }
    space_sum += space::Share(tested[f] + by_nobody, whole);
  }
  coverage.default_share = default_families == 0 ? 1 : default_sum / default_families;
  coverage.space_share = space_sum / 2;
  return coverage;
}

}  // namespace march::policytest
