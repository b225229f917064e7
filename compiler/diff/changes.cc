#include "compiler/diff/changes.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "compiler/ruleset/regions.h"

namespace march::diff {
namespace {

using ruleset::Rule;
using space::AddressSet;
using space::PacketSet;

bool MatchesAlike(const Rule& a, const Rule& b) {
  return *a.source == *b.source && *a.destination == *b.destination && a.l4 == b.l4 &&
         a.source_ports == b.source_ports;
}

std::unordered_map<std::string_view, std::uint32_t> ByName(const ruleset::RuleSet& rules) {
  std::unordered_map<std::string_view, std::uint32_t> index;
  for (std::uint32_t i = 0; i < rules.rules.size(); ++i) index.emplace(rules.rules[i].name, i);
  return index;
}

// Adds what the rules of `one` match that have no equal in `other`. Two rules of one name and one
// precedence that match and treat alike decide alike, wherever they stand.
void AddSuspects(const Side& one, const Side& other, PacketSet& suspects) {
  const auto index = ByName(other.rules);
  for (std::uint32_t i = 0; i < one.rules.rules.size(); ++i) {
    const Rule& rule = one.rules.rules[i];
    const auto found = index.find(rule.name);
    if (found != index.end()) {
      const Rule& twin = other.rules.rules[found->second];
      if (rule.priority == twin.priority && rule.action == twin.action &&
          MatchesAlike(rule, twin) && TreatmentOf(one, i) == TreatmentOf(other, found->second)) {
        continue;
      }
    }
    suspects.Add(PacketsOf(rule));
  }
}

void AddNames(const model::Policy& policy, const std::vector<std::uint32_t>& services,
              std::vector<std::string_view>& names) {
  for (const std::uint32_t index : services) {
    const model::Service& service = policy.services[index];
    names.insert(names.end(), service.fqdns.begin(), service.fqdns.end());
    AddNames(policy, service.members, names);
  }
}

AddressSet ReachOfEnd(const model::Policy& policy,
                      const std::optional<std::vector<std::uint32_t>>& services) {
  if (!services) return AddressSet::Everything();
  AddressSet reach;
  for (const std::uint32_t index : *services) {
    const model::Service& service = policy.services[index];
    if (service.has_names) return AddressSet::Everything();
    reach = Union(reach, service.addresses);
  }
  return reach;
}

}  // namespace

std::vector<Change> FindChanges(const Side& before, const Side& after) {
  PacketSet suspects;
  if (before.rules.default_action != after.rules.default_action) {
    suspects = PacketSet::Everything();
  } else {
    AddSuspects(before, after, suspects);
    AddSuspects(after, before, suspects);
  }
  std::vector<Change> changes;
  for (ruleset::Region& was : Decide(before.rules, std::move(suspects))) {
    const std::string treatment = TreatmentOf(before, was.rule);
    for (ruleset::Region& is : Decide(after.rules, std::move(was.packets))) {
      if (TreatmentOf(after, is.rule) == treatment) continue;
      changes.push_back({std::move(is.packets), was.rule, is.rule});
    }
  }
  return changes;
}

PacketSet ReachOf(const model::Policy& policy, const model::Mapping& mapping) {
  return PacketSet::Of(ReachOfEnd(policy, mapping.from), ReachOfEnd(policy, mapping.to),
                       ruleset::L4Of(mapping), ruleset::SourcePortsOf(mapping));
}

std::string TreatmentOf(const Side& side, std::optional<std::uint32_t> index) {
  if (!index) return std::string(ActionName(side.rules.default_action)) + "\n";
  const Rule& rule = side.rules.rules[*index];
  std::string text = std::string(ActionName(rule.action)) + "\n" + rule.attributes;
  // What stands behind the names of services that attributes mention.
  for (const std::uint32_t backend : side.policy.mappings[rule.mapping].backends) {
    const model::Service& service = side.policy.services[backend];
    text += service.name;
    for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
      for (const auto& part : service.addresses.In(family).intervals()) {
        text += " " + space::Address{family, part.first}.ToString() + "-" +
                space::Address{family, part.last}.ToString();
      }
    }
    std::vector<std::string_view> names;
    AddNames(side.policy, {backend}, names);
    for (const std::string_view name : names) text += " " + std::string(name);
    for (const model::Attribute& attribute : service.attributes) {
      text += " " + attribute.name + "=" + attribute.value;
    }
    text += "\n";
  }
  return text;
}

}  // namespace march::diff
