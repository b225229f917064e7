#include <algorithm>

#include "compiler/prove/engine.h"
#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

using ServiceList = std::optional<std::vector<std::uint32_t>>;

bool HoldsAddress(const model::Policy& policy, const ServiceList& services,
                  const space::Address& address) {
  if (!services) return true;
  return std::any_of(services->begin(), services->end(), [&](std::uint32_t service) {
    const auto& prefixes = policy.services[service].prefixes;
    return std::any_of(prefixes.begin(), prefixes.end(), [&](const space::Prefix& prefix) {
      return prefix.address.family == address.family &&
             space::Prefix::Of(address, prefix.length) == prefix;
    });
  });
}

}  // namespace

ModelEngine::ModelEngine(const model::Policy& policy) : policy_(policy) {}

bool ModelEngine::Matches(const model::Mapping& mapping, const space::Flow& flow) const {
  if (mapping.protocols && std::find(mapping.protocols->begin(), mapping.protocols->end(),
                                     flow.protocol) == mapping.protocols->end()) {
    return false;
  }
  if (mapping.ports && !flow.later_fragment &&
      std::none_of(mapping.ports->begin(), mapping.ports->end(), [&](const model::PortRange& r) {
        return r.first <= flow.destination_port && flow.destination_port <= r.last;
      })) {
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
  if (left.action != right.action) return left.action == model::Action::kDeny;
  return left.name < right.name;
}

std::vector<std::uint32_t> ModelEngine::Matching(const space::Flow& flow) const {
  std::vector<std::uint32_t> matching;
  for (std::uint32_t i = 0; i < policy_.mappings.size(); ++i) {
    if (Matches(policy_.mappings[i], flow)) matching.push_back(i);
  }
  std::sort(matching.begin(), matching.end(),
            [&](std::uint32_t a, std::uint32_t b) { return Precedes(a, b); });
  return matching;
}

Decision ModelEngine::DecideAtPort(const space::Flow& flow) const {
  const std::vector<std::uint32_t> matching = Matching(flow);
  if (matching.empty()) return {policy_.default_action, MARCH_SLOT_DEFAULT};
  return Decision::OfMapping(policy_.mappings[matching.front()].action, matching.front());
}

// A later fragment goes by what its ports could be: see classify::BuildL4Run.
Decision ModelEngine::DecideFragment(const space::Flow& flow) const {
  // The ports at which the set of matching mappings changes.
  std::vector<std::uint32_t> ports = {0};
  for (const std::uint32_t index : Matching(flow)) {
    const auto& ranges = policy_.mappings[index].ports;
    if (!ranges) continue;
    for (const model::PortRange& range : *ranges) {
      ports.push_back(range.first);
      if (range.last < 0xFFFF) ports.push_back(std::uint32_t{range.last} + 1);
    }
  }
  std::vector<Decision> decisions;
  for (const std::uint32_t port : ports) {
    space::Flow whole = flow;
    whole.later_fragment = false;
    whole.destination_port = static_cast<std::uint16_t>(port);
    decisions.push_back(DecideAtPort(whole));
  }
  if (std::all_of(decisions.begin(), decisions.end(),
                  [&](const Decision& d) { return d == decisions.front(); })) {
    return decisions.front();
  }
  if (std::any_of(decisions.begin(), decisions.end(),
                  [](const Decision& d) { return d.action != model::Action::kAllow; })) {
    return {model::Action::kDeny, MARCH_SLOT_FRAGMENT};
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
