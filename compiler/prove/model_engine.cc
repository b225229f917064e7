#include <algorithm>
#include <map>

#include "bundle/abi/tables.h"
#include "compiler/prove/engine.h"
#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

using ServiceList = std::optional<std::vector<std::uint32_t>>;

bool IsIn(const std::vector<space::Prefix>& prefixes, const space::Address& address) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const space::Prefix& prefix) {
    return prefix.address.family == address.family &&
           space::Prefix::Of(address, prefix.length) == prefix;
  });
}

// Whether services hold one address; of members, each is looked at once.
class Holder {
 public:
  Holder(const model::Policy& policy, const space::Address& address)
      : policy_(policy), address_(address) {}

  bool Holds(std::uint32_t index) {
    const model::Service& service = policy_.services[index];
    if (service.members.empty()) return Decide(service);
    const auto known = known_.find(index);
    if (known != known_.end()) return known->second;
    return known_[index] = Decide(service);
  }

 private:
  bool Decide(const model::Service& service) {
    if (IsIn(service.except, address_)) return false;
    return IsIn(service.prefixes, address_) ||
           std::any_of(service.members.begin(), service.members.end(),
                       [&](std::uint32_t member) { return Holds(member); });
  }

  const model::Policy& policy_;
  const space::Address& address_;
  std::map<std::uint32_t, bool> known_;
};

bool HoldsAddress(const model::Policy& policy, const ServiceList& services,
                  const space::Address& address) {
  if (!services) return true;
  Holder holder(policy, address);
  return std::any_of(services->begin(), services->end(),
                     [&](std::uint32_t service) { return holder.Holds(service); });
}

bool IsIn(const std::optional<std::vector<model::PortRange>>& ranges, std::uint16_t port) {
  return !ranges || std::any_of(ranges->begin(), ranges->end(), [&](const model::PortRange& r) {
    return r.first <= port && port <= r.last;
  });
}

bool IsOneOf(const std::optional<std::vector<model::IcmpType>>& types, const space::Flow& flow) {
  return !types || std::any_of(types->begin(), types->end(), [&](const model::IcmpType& type) {
    return type.protocol == flow.protocol && type.type == flow.icmp_type &&
           type.code.value_or(flow.icmp_code) == flow.icmp_code;
  });
}

}  // namespace

ModelEngine::ModelEngine(const model::Policy& policy) : policy_(policy) {}

bool ModelEngine::Matches(const model::Mapping& mapping, const space::Flow& flow) const {
  if (mapping.protocols && std::find(mapping.protocols->begin(), mapping.protocols->end(),
                                     flow.protocol) == mapping.protocols->end()) {
    return false;
  }
  if (!flow.later_fragment &&
      (!IsIn(mapping.ports, flow.destination_port) ||
       !IsIn(mapping.source_ports, flow.source_port) || !IsOneOf(mapping.icmp_types, flow))) {
    return false;
  }
  return HoldsAddress(policy_, mapping.from, flow.source) &&
         HoldsAddress(policy_, mapping.to, flow.destination);
}

// Rules 1, 2 and 4: priority, then strictness, then the name.
bool ModelEngine::Precedes(std::uint32_t a, std::uint32_t b) const {
  const model::Mapping& left = policy_.mappings[a];
  const model::Mapping& right = policy_.mappings[b];
  if (left.priority != right.priority) return left.priority > right.priority;
  if (left.action != right.action) return left.action < right.action;  // the stricter comes first
  return left.name < right.name;
}

std::vector<std::uint32_t> ModelEngine::AllMatching(const space::Flow& flow) const {
  std::vector<std::uint32_t> matching;
  for (std::uint32_t i = 0; i < policy_.mappings.size(); ++i) {
    if (Matches(policy_.mappings[i], flow)) matching.push_back(i);
  }
  std::sort(matching.begin(), matching.end(),
            [&](std::uint32_t a, std::uint32_t b) { return Precedes(a, b); });
  return matching;
}

std::vector<std::uint32_t> ModelEngine::Matching(const space::Flow& flow) const {
  std::vector<std::uint32_t> matching = AllMatching(flow);
  const auto audits = std::remove_if(matching.begin(), matching.end(),
                                     [&](auto index) { return policy_.mappings[index].audit; });
  matching.erase(audits, matching.end());
  return matching;
}

Decision ModelEngine::DecideAtPort(const space::Flow& flow) const {
  const std::vector<std::uint32_t> matching = AllMatching(flow);
  Decision decision{policy_.default_action, MARCH_SLOT_DEFAULT, std::nullopt};
  const auto decider = std::find_if(matching.begin(), matching.end(), [&](std::uint32_t index) {
    return !policy_.mappings[index].audit;
  });
  if (decider != matching.end()) {
    decision = Decision::OfMapping(policy_.mappings[*decider].action, *decider);
  }
  // What comes before it is under audit.
  if (decider != matching.begin()) {
    decision.audit = MARCH_SLOT_FIRST_MAPPING + matching.front();
  }
  return decision;
}

// A later fragment goes by what its ports could be: see classify::BuildL4Run.
Decision ModelEngine::DecideFragment(const space::Flow& flow) const {
  // The ports, or types and codes, at which the set of matching mappings changes.
  std::vector<std::uint32_t> ports = {0};
  const auto add = [&](std::uint32_t first, std::uint32_t last) {
    ports.push_back(first);
    if (last < 0xFFFF) ports.push_back(last + 1);
  };
  for (const std::uint32_t index : AllMatching(flow)) {
    const model::Mapping& mapping = policy_.mappings[index];
    for (const model::PortRange& range : mapping.ports.value_or(std::vector<model::PortRange>())) {
      add(range.first, range.last);
    }
    for (const model::IcmpType& t : mapping.icmp_types.value_or(std::vector<model::IcmpType>())) {
      if (t.protocol != flow.protocol) continue;
      add(MARCH_ICMP_PORT(t.type, t.code.value_or(0)),
          MARCH_ICMP_PORT(t.type, t.code.value_or(0xFF)));
    }
  }
  std::vector<Decision> decisions;
  for (const std::uint32_t port : ports) {
    space::Flow whole = flow;
    whole.later_fragment = false;
    whole.SetDetail(static_cast<std::uint16_t>(port));
    decisions.push_back(DecideAtPort(whole));
  }
  const std::optional<std::uint32_t> audit = decisions.front().audit;
  const bool one_audit = std::all_of(decisions.begin(), decisions.end(),
                                     [&](const Decision& d) { return d.audit == audit; });
  for (Decision& decision : decisions) decision.audit = one_audit ? audit : std::nullopt;
  if (std::all_of(decisions.begin(), decisions.end(),
                  [&](const Decision& d) { return d == decisions.front(); })) {
    return decisions.front();
  }
  if (std::any_of(decisions.begin(), decisions.end(),
                  [](const Decision& d) { return d.action != model::Action::kAllow; })) {
    return {model::Action::kDeny, MARCH_SLOT_FRAGMENT, decisions.front().audit};
  }
  return *std::min_element(decisions.begin(), decisions.end(),
                           [&](const Decision& a, const Decision& b) {
                             if (!a.mapping() || !b.mapping()) return a.mapping() && !b.mapping();
                             return Precedes(*a.mapping(), *b.mapping());
                           });
}

Outcome<Decision> ModelEngine::Decide(const space::Flow& flow) {
  return flow.later_fragment ? DecideFragment(flow) : DecideAtPort(flow);
}

}  // namespace march::prove
