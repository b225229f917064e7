#include "compiler/diff/changes.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "compiler/ruleset/regions.h"

namespace march::diff {
namespace {

using model::Mapping;
using model::Policy;
using model::Service;
using ruleset::Rule;
using space::AddressSet;
using space::PacketSet;

using ServiceList = std::vector<std::uint32_t>;

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

// All packets of which a rule that was changed, came or went has a say.
PacketSet SuspectsOf(const Side& before, const Side& after) {
  if (TreatmentOf(before, std::nullopt) != TreatmentOf(after, std::nullopt)) {
    return PacketSet::Everything();
  }
  PacketSet suspects;
  AddSuspects(before, after, suspects);
  AddSuspects(after, before, suspects);
  return suspects;
}

// These services and all below them, each once, in ascending order.
ServiceList WithMembers(const Policy& policy, const ServiceList& services) {
  std::vector<bool> seen(policy.services.size(), false);
  ServiceList open = services;
  while (!open.empty()) {
    const std::uint32_t index = open.back();
    open.pop_back();
    if (seen[index]) continue;
    seen[index] = true;
    const ServiceList& members = policy.services[index].members;
    open.insert(open.end(), members.begin(), members.end());
  }
  ServiceList all;
  for (std::uint32_t i = 0; i < seen.size(); ++i) {
    if (seen[i]) all.push_back(i);
  }
  return all;
}

std::string TextOf(const AddressSet& addresses) {
  std::string text;
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    for (const auto& part : addresses.In(family).intervals()) {
      text += " " + space::Address{family, part.first}.ToString() + "-" +
              space::Address{family, part.last}.ToString();
    }
  }
  return text;
}

// What a service stands for: its names have an `except` of their own.
std::string NamesOf(const Service& service) {
  std::string text;
  for (const std::string& name : service.fqdns) text += " " + name;
  return text + " except" + TextOf(AddressSet::Of(service.except));
}

// What services stand for, all told.
std::string MeaningOf(const Policy& policy, const ServiceList& services) {
  std::string text;
  if (services.empty()) return text;  // as nearly every rule's backends
  for (const std::uint32_t index : WithMembers(policy, services)) {
    const Service& service = policy.services[index];
    text += service.name + TextOf(service.addresses) + NamesOf(service);
    for (const model::Attribute& attribute : service.attributes) {
      text += " " + attribute.name + "=" + attribute.value;
    }
    text += "\n";
  }
  return text;
}

bool HasNames(const Policy& policy, const std::optional<ServiceList>& services) {
  return services && std::any_of(services->begin(), services->end(), [&](std::uint32_t index) {
           return policy.services[index].has_names;
         });
}

AddressSet ReachOf(const Policy& policy, const std::optional<ServiceList>& services) {
  if (!services || HasNames(policy, services)) return AddressSet::Everything();
  AddressSet reach;
  for (const std::uint32_t index : *services) {
    reach = Union(reach, policy.services[index].addresses);
  }
  return reach;
}

// The names at one end; where the other end has some, also its own addresses.
std::string NamedEnd(const Policy& policy, const std::optional<ServiceList>& end,
                     const std::optional<ServiceList>& other) {
  std::string text;
  if (HasNames(policy, end)) {
    for (const std::uint32_t index : WithMembers(policy, *end)) {
      const Service& service = policy.services[index];
      if (service.has_names) text += service.name + NamesOf(service) + "\n";
    }
  }
  if (HasNames(policy, other)) {
    text += end ? TextOf(ReachOf(policy, end)) : std::string(" any");
  }
  return text;
}

// What a mapping does to names: equal texts, equal effect, whatever the names stand for.
std::string NamedEffect(const Side& side, const Mapping& mapping) {
  std::string text =
      std::to_string(mapping.priority) + " " + std::string(ActionName(mapping.action)) + "\n";
  const ruleset::L4Set l4 = ruleset::L4Of(mapping);
  for (const auto& part : l4.intervals()) {
    text += " " + std::to_string(part.first) + "-" + std::to_string(part.last);
  }
  const space::PortSet source_ports = ruleset::SourcePortsOf(mapping);
  for (const auto& part : source_ports.intervals()) {
    text += " " + std::to_string(part.first) + "-" + std::to_string(part.last);
  }
  text += "\n" + NamedEnd(side.policy, mapping.from, mapping.to) + "\n" +
          NamedEnd(side.policy, mapping.to, mapping.from) + "\n";
  for (const model::Attribute& attribute : mapping.attributes) {
    text += attribute.name + "=" + attribute.value + "\n";
  }
  return text + MeaningOf(side.policy, mapping.backends);
}

bool IsNamed(const Policy& policy, const Mapping& mapping) {
  return !mapping.audit && (HasNames(policy, mapping.from) || HasNames(policy, mapping.to));
}

}  // namespace

std::vector<Change> FindChanges(const Side& before, const Side& after) {
  std::vector<Change> changes;
  for (ruleset::Region& was : Decide(before.rules, SuspectsOf(before, after))) {
    const std::string treatment = TreatmentOf(before, was.rule);
    for (ruleset::Region& is : Decide(after.rules, std::move(was.packets))) {
      if (TreatmentOf(after, is.rule) == treatment) continue;
      changes.push_back({std::move(is.packets), was.rule, is.rule});
    }
  }
  return changes;
}

PacketSet FindFragmentChanges(const Side& before, const Side& after) {
  const PacketSet touched = ruleset::WithAllPorts(SuspectsOf(before, after));
  const PacketSet was = DroppedFragments(before.rules, touched);
  const PacketSet is = DroppedFragments(after.rules, touched);
  PacketSet changed = was;
  changed.Subtract(is);
  PacketSet newly = is;
  newly.Subtract(was);
  changed.Add(newly);
  return changed;
}

std::vector<NamedReach> FindNamedChanges(const Side& side, const Side& other) {
  std::vector<NamedReach> found;
  std::optional<PacketSet> suspects;
  for (std::uint32_t i = 0; i < side.policy.mappings.size(); ++i) {
    const Mapping& mapping = side.policy.mappings[i];
    if (!IsNamed(side.policy, mapping)) continue;
    PacketSet reach =
        PacketSet::Of(ReachOf(side.policy, mapping.from), ReachOf(side.policy, mapping.to),
                      ruleset::L4Of(mapping), ruleset::SourcePortsOf(mapping));
    const Mapping* const twin = FindMapping(other.policy, mapping.name);
    const bool stays = twin != nullptr && IsNamed(other.policy, *twin) &&
                       NamedEffect(side, mapping) == NamedEffect(other, *twin);
    if (stays) {
      if (!suspects) suspects = SuspectsOf(side, other);
      reach = Intersect(reach, *suspects);
    }
    if (!reach.empty()) found.push_back({i, std::move(reach)});
  }
  return found;
}

std::string TreatmentOf(const Side& side, std::optional<std::uint32_t> index) {
  if (!index) {
    return std::string(ActionName(side.rules.default_action)) + "\n" +
           side.rules.default_attributes;
  }
  const Rule& rule = side.rules.rules[*index];
  return std::string(ActionName(rule.action)) + "\n" + rule.attributes +
         MeaningOf(side.policy, side.policy.mappings[rule.mapping].backends);
}

}  // namespace march::diff
