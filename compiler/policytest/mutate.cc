#include <algorithm>
#include <memory>
#include <utility>

#include "bundle/abi/tables.h"
#include "compiler/policytest/run.h"
#include "compiler/space/describe.h"
#include "compiler/space/protocol.h"

namespace march::policytest {
namespace {

using Change = Mutant::Change;
using model::Action;
using ruleset::Rule;
using ruleset::RuleSet;
using space::Family;
using space::PacketSet;

// Every prefix of the set one bit shorter.
space::AddressSet Widened(const space::AddressSet& set) {
  std::vector<space::Prefix> prefixes;
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const auto& part : set.In(family).intervals()) {
      for (const space::Prefix& prefix : space::PrefixesOf(family, part.first, part.last)) {
        const unsigned length = prefix.length == 0 ? 0 : prefix.length - 1;
        prefixes.push_back(space::Prefix::Of(prefix.address, length));
      }
    }
  }
  return space::AddressSet::Of(prefixes);
}

// Every range of ports one longer at both ends, within its protocol.
ruleset::L4Set WithMorePorts(const ruleset::L4Set& l4) {
  std::vector<space::Interval<std::uint32_t>> parts;
  for (const auto& part : l4.intervals()) {
    const bool has_ports = space::HasPorts(static_cast<std::uint8_t>(part.first >> 16));
    const std::uint32_t first =
        has_ports && (part.first & 0xFFFF) > 0 ? part.first - 1 : part.first;
    const std::uint32_t last =
        has_ports && (part.last & 0xFFFF) < 0xFFFF ? part.last + 1 : part.last;
    parts.push_back({first, last});
  }
  return ruleset::L4Set(std::move(parts));
}

// The rules with the change made, in their order of precedence.
RuleSet Changed(const RuleSet& rules, Change change, std::uint32_t index) {
  RuleSet changed = rules;
  Rule& rule = changed.rules[index];
  switch (change) {
    case Change::kDrop:
      changed.rules.erase(changed.rules.begin() + index);
      return changed;
    case Change::kFlip:
      rule.action = rule.action == Action::kDeny || rule.action == Action::kReject ? Action::kAllow
                                                                                   : Action::kDeny;
      SortByPrecedence(changed);
      return changed;
    case Change::kWidenSource:
      rule.source = std::make_shared<const space::AddressSet>(Widened(*rule.source));
      return changed;
    case Change::kWidenDestination:
      rule.destination = std::make_shared<const space::AddressSet>(Widened(*rule.destination));
      return changed;
    case Change::kWidenPorts:
      rule.l4 = WithMorePorts(rule.l4);
      return changed;
  }
  return changed;
}

Action VerdictOf(const RuleSet& rules, const ruleset::Region& region) {
  return region.rule ? rules.rules[*region.rule].action : rules.default_action;
}

// A packet of `packets` that the two treat differently.
std::optional<space::Flow> Difference(const RuleSet& before, const RuleSet& after,
                                      const PacketSet& packets) {
  for (const ruleset::Region& old : Decide(before, packets)) {
    for (const ruleset::Region& now : Decide(after, old.packets)) {
      if (VerdictOf(before, old) != VerdictOf(after, now)) return now.packets.Witness();
    }
  }
  return std::nullopt;
}

}  // namespace

std::string Describe(Mutant::Change change, const Rule& rule) {
  switch (change) {
    case Change::kDrop:
      return "drop it";
    case Change::kFlip:
      return rule.action == Action::kDeny || rule.action == Action::kReject ? "make it allow"
                                                                            : "make it deny";
    case Change::kWidenSource:
      return "widen its sources by a bit";
    case Change::kWidenDestination:
      return "widen its destinations by a bit";
    case Change::kWidenPorts:
      return "widen its ports by one";
  }
  return {};
}

std::vector<Mutant> Mutate(const std::vector<TestCase>& tests, const RuleSet& rules) {
  std::vector<Mutant> mutants;
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) {
    for (const Change change : {Change::kDrop, Change::kFlip, Change::kWidenSource,
                                Change::kWidenDestination, Change::kWidenPorts}) {
      const RuleSet changed = Changed(rules, change, i);
      PacketSet touched = PacketsOf(rules.rules[i]);
      if (change != Change::kDrop && change != Change::kFlip) {
        touched = PacketsOf(changed.rules[i]);
      }
      const auto witness = Difference(rules, changed, touched);
      // What changes no verdict is no mutant that a test could be asked to notice.
      if (!witness) continue;
      const bool noticed = std::any_of(tests.begin(), tests.end(), [&](const TestCase& test) {
        return Overlaps(test.flows, touched) && Run(test, changed).has_value();
      });
      mutants.push_back({change, i, noticed, witness});
    }
  }
  return mutants;
}

}  // namespace march::policytest
