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

Decision ModelEngine::DecideWhole(const space::Flow& flow) const {
  const std::vector<std::uint32_t> matching = AllMatching(flow);
  Decision decision = Decision::OfReason(policy_.default_action, MARCH_SLOT_DEFAULT);
  const auto decider = std::find_if(matching.begin(), matching.end(), [&](std::uint32_t index) {
    return !policy_.mappings[index].audit;
  });
  if (decider != matching.end()) {
    decision = Decision::OfMapping(policy_.mappings[*decider].action, *decider);
  }
  // What comes before it is under audit.
  if (decider != matching.begin()) decision.audited_mapping = matching.front();
  return decision;
}

// Whether the mapping matches the fragment whatever ports or types it has: tried where its own
// begin, end, and begin again.
bool ModelEngine::MatchesEveryPort(const model::Mapping& mapping, const space::Flow& flow) const {
  std::vector<std::uint32_t> details = {0, 0xFFFF};
  std::vector<std::uint32_t> source_ports = {0, 0xFFFF};
  const auto add = [](std::vector<std::uint32_t>& edges, std::uint32_t first, std::uint32_t last) {
    edges.push_back(first);
    if (first > 0) edges.push_back(first - 1);
    edges.push_back(last);
    if (last < 0xFFFF) edges.push_back(last + 1);
  };
  using Ranges = std::vector<model::PortRange>;
  for (const auto& range : mapping.ports.value_or(Ranges())) add(details, range.first, range.last);
  for (const auto& range : mapping.source_ports.value_or(Ranges())) {
    add(source_ports, range.first, range.last);
  }
  for (const model::IcmpType& t : mapping.icmp_types.value_or(std::vector<model::IcmpType>())) {
    add(details, MARCH_ICMP_PORT(t.type, t.code.value_or(0)),
        MARCH_ICMP_PORT(t.type, t.code.value_or(0xFF)));
  }
  space::Flow whole = flow;
  whole.later_fragment = false;
  for (const std::uint32_t detail : details) {
    for (const std::uint32_t source_port : source_ports) {
      whole.SetDetail(static_cast<std::uint16_t>(detail));
      whole.source_port = static_cast<std::uint16_t>(source_port);
      if (!Matches(mapping, whole)) return false;
    }
  }
  return true;
}

// A later fragment goes by what its ports could be. The first mapping that matches whatever they
// are allows or denies it; mappings before that one, which match at some ports only, let it pass if
// they allow. Of those that may match, the first counts it.
Decision ModelEngine::DecideFragment(const space::Flow& flow) const {
  Decision decision = Decision::OfReason(policy_.default_action, MARCH_SLOT_DEFAULT);
  std::optional<std::uint32_t> first;
  std::optional<std::uint32_t> audited;
  for (const std::uint32_t index : AllMatching(flow)) {
    const model::Mapping& mapping = policy_.mappings[index];
    const bool certain = MatchesEveryPort(mapping, flow);
    if (mapping.audit) {
      // It would judge before all others, if it is sure to.
      if (!first && !audited && certain) decision.audited_mapping = index;
      if (!first && !audited) audited = index;
      continue;
    }
    if (!first) {
      first = index;
      decision.action = mapping.action;
    }
    if (mapping.action != model::Action::kAllow) decision.action = mapping.action;
    if (certain) return Counted(decision, first, first == index);
  }
  if (first && policy_.default_action != model::Action::kAllow) {
    decision.action = policy_.default_action;
  }
  return Counted(decision, first, false);
}

// `decision` on a fragment counts for the first that may match, or as a fragment that was dropped
// because it might be one to drop.
Decision ModelEngine::Counted(Decision decision, std::optional<std::uint32_t> first, bool known) {
  if (!first) return decision;
  if (known || decision.action == model::Action::kAllow) {
    decision.mapping = first;
    decision.reason = 0;
  } else {
    decision.action = model::Action::kDeny;
    decision.reason = MARCH_SLOT_FRAGMENT;
  }
  return decision;
}

Outcome<Decision> ModelEngine::Decide(const space::Flow& flow) {
  return flow.later_fragment ? DecideFragment(flow) : DecideWhole(flow);
}

}  // namespace march::prove
