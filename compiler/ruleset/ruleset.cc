#include "compiler/ruleset/ruleset.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>
#include <utility>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "compiler/space/protocol.h"

namespace march::ruleset {
namespace {

using space::AddressSet;
using ServiceList = std::vector<std::uint32_t>;

// Builds each distinct list of services once.
class AddressSets {
 public:
  explicit AddressSets(const model::Policy& policy)
      : policy_(policy),
        everything_(std::make_shared<const AddressSet>(AddressSet::Everything())),
        of_one_(policy.services.size()) {}

  std::shared_ptr<const AddressSet> Of(const std::optional<ServiceList>& services) {
    if (!services) return everything_;
    auto& known = services->size() == 1 ? of_one_[services->front()] : sets_[*services];
    if (known == nullptr) {
      AddressSet all;
      for (const std::uint32_t service : *services) {
        all = Union(all, policy_.services[service].addresses);
      }
      known = std::make_shared<const AddressSet>(std::move(all));
    }
    return known;
  }

 private:
  const model::Policy& policy_;
  std::shared_ptr<const AddressSet> everything_;
  std::vector<std::shared_ptr<const AddressSet>> of_one_;  // by service
  std::map<ServiceList, std::shared_ptr<const AddressSet>> sets_;
};

std::string AttributesOf(const model::Mapping& mapping) {
  std::string text;
  for (const model::Attribute& attribute : mapping.attributes) {
    text += attribute.name + " " + attribute.value + "\n";
  }
  return text;
}

Treatment TreatmentOf(const model::Mapping& mapping) {
  if (mapping.audit) return {};
  return {.stateless = mapping.action == model::Action::kAllow && !mapping.stateful,
          .reject = mapping.action == model::Action::kReject,
          .limit = mapping.limit};
}

void DumpTreatment(std::ostream& out, const Rule& rule) {
  if (!rule.attributes.empty()) {
    std::string text = rule.attributes;
    std::replace(text.begin(), text.end(), '\n', ' ');
    text.pop_back();
    out << "    with " << text << "\n";
  }
}

void DumpAddresses(std::ostream& out, const char* label, const AddressSet& set) {
  if (set == AddressSet::Everything()) return;
  out << "    " << label;
  if (set.empty()) out << " nothing";
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    for (const auto& part : set.In(family).intervals()) {
      out << " " << space::Address{family, part.first}.ToString();
      if (part.last != part.first) out << "-" << space::Address{family, part.last}.ToString();
    }
  }
  out << "\n";
}

void DumpL4(std::ostream& out, const L4Set& set) {
  if (set == L4Set({{0, MARCH_L4_FRAGMENT - 1}})) return;
  out << "    l4";
  for (const auto& part : set.intervals()) {
    for (std::uint32_t protocol = part.first >> 16; protocol <= part.last >> 16; ++protocol) {
      const std::uint32_t first = std::max(part.first, protocol << 16) & 0xFFFF;
      const std::uint32_t last = std::min(part.last, protocol << 16 | 0xFFFF) & 0xFFFF;
      out << " " << space::ProtocolName(static_cast<std::uint8_t>(protocol));
      if (first == 0 && last == 0xFFFF) continue;
      out << ":" << first;
      if (last != first) out << "-" << last;
    }
  }
  out << "\n";
}

void DumpSourcePorts(std::ostream& out, const space::IntervalSet<std::uint16_t>& ports) {
  if (ports == space::IntervalSet<std::uint16_t>({{0, 0xFFFF}})) return;
  out << "    source ports";
  for (const auto& part : ports.intervals()) {
    out << " " << part.first;
    if (part.last != part.first) out << "-" << part.last;
  }
  out << "\n";
}

void DumpRule(std::ostream& out, const std::string& label, const Rule& rule) {
  out << "  " << label << " " << model::ActionName(rule.action) << " " << rule.name << " priority "
      << rule.priority << " (" << rule.place.PolicyLine() << ")\n";
  DumpAddresses(out, "from", *rule.source);
  DumpAddresses(out, "to", *rule.destination);
  DumpL4(out, rule.l4);
  DumpSourcePorts(out, rule.source_ports);
  DumpTreatment(out, rule);
}

}  // namespace

L4Set L4Of(const model::Mapping& mapping) {
  if (!mapping.protocols) return L4Set({{0, MARCH_L4_FRAGMENT - 1}});
  std::vector<space::Interval<std::uint32_t>> keys;
  if (mapping.icmp_types) {
    for (const model::IcmpType& type : *mapping.icmp_types) {
      keys.push_back(
          {MARCH_L4_KEY(type.protocol, MARCH_ICMP_PORT(type.type, type.code.value_or(0))),
           MARCH_L4_KEY(type.protocol, MARCH_ICMP_PORT(type.type, type.code.value_or(0xFF)))});
    }
    return L4Set(std::move(keys));
  }
  for (const std::uint8_t protocol : *mapping.protocols) {
    if (!mapping.ports) {
      keys.push_back({MARCH_L4_KEY(protocol, 0U), MARCH_L4_KEY(protocol, 0xFFFFU)});
      continue;
    }
    for (const model::PortRange& range : *mapping.ports) {
      keys.push_back({MARCH_L4_KEY(protocol, range.first), MARCH_L4_KEY(protocol, range.last)});
    }
  }
  return L4Set(std::move(keys));
}

space::IntervalSet<std::uint16_t> SourcePortsOf(const model::Mapping& mapping) {
  if (!mapping.source_ports) return space::IntervalSet<std::uint16_t>({{0, 0xFFFF}});
  std::vector<space::Interval<std::uint16_t>> parts;
  for (const model::PortRange& range : *mapping.source_ports) {
    parts.push_back({range.first, range.last});
  }
  return space::IntervalSet<std::uint16_t>(std::move(parts));
}

Outcome<RuleSet> OrderRules(const model::Policy& policy) {
  // What exceeds a limit is counted beside what its mapping counts.
  const auto limits = static_cast<std::size_t>(std::count_if(
      policy.mappings.begin(), policy.mappings.end(), [](const auto& m) { return m.limit; }));
  if (policy.mappings.size() + limits > MARCH_MAX_SLOTS - MARCH_SLOT_FIRST_MAPPING) {
    return MakeDiagnostic(Code::kTooManyMappings, {},
                          "the policy has " + std::to_string(policy.mappings.size()) +
                              " mappings and " + std::to_string(limits) +
                              " limits; a program counts at most " +
                              std::to_string(MARCH_MAX_SLOTS - MARCH_SLOT_FIRST_MAPPING),
                          "split the policy between gateways");
  }
  AddressSets sets(policy);
  RuleSet result;
  result.default_action = policy.default_action;
  if (policy.default_action == model::Action::kAllow && !policy.default_stateful) {
    result.default_attributes = kStatelessAttribute;
    result.default_treatment.stateless = true;
  }
  result.mappings = static_cast<std::uint32_t>(policy.mappings.size());
  result.rules.reserve(policy.mappings.size());
  for (std::uint32_t i = 0; i < result.mappings; ++i) {
    const model::Mapping& mapping = policy.mappings[i];
    auto& rules = mapping.audit ? result.audits : result.rules;
    rules.push_back({i, mapping.name, mapping.place, mapping.action, mapping.priority,
                     sets.Of(mapping.from), sets.Of(mapping.to), L4Of(mapping),
                     SourcePortsOf(mapping), AttributesOf(mapping), mapping.audit,
                     TreatmentOf(mapping)});
  }
  SortByPrecedence(result);
  return result;
}

bool Precedes(const Rule& a, const Rule& b) {
  // Mapping indices are in the byte order of names.
  return std::tuple(-a.priority, a.action, a.mapping) <
         std::tuple(-b.priority, b.action, b.mapping);
}

void SortByPrecedence(RuleSet& rules) {
  std::sort(rules.rules.begin(), rules.rules.end(), Precedes);
  std::sort(rules.audits.begin(), rules.audits.end(), Precedes);
}

std::string Dump(const RuleSet& rules) {
  std::ostringstream out;
  out << "rules " << rules.rules.size() << ", default " << model::ActionName(rules.default_action)
      << "\n";
  std::size_t number = 0;
  for (const Rule& rule : rules.rules) DumpRule(out, std::to_string(number++), rule);
  for (const Rule& rule : rules.audits) DumpRule(out, "audit", rule);
  return out.str();
}

}  // namespace march::ruleset
