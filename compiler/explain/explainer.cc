#include "compiler/explain/explainer.h"

#include <algorithm>
#include <tuple>

#include "compiler/prove/engine.h"
#include "compiler/space/icmp.h"
#include "compiler/space/protocol.h"

namespace march::explain {
namespace {

using Services = std::optional<std::vector<std::uint32_t>>;
using Ports = std::optional<std::vector<model::PortRange>>;

constexpr std::size_t kNamesShown = 3;
constexpr std::size_t kPortsShown = 4;
// Bits that are remembered of addresses, in all.
constexpr std::size_t kMostBits = std::size_t{1} << 26;

// "a, b, c and 2 more"
template <class List, class Text>
std::string Join(const List& list, std::size_t shown, const char* separator, Text text) {
  std::string joined;
  for (std::size_t i = 0; i < std::min(shown, list.size()); ++i) {
    joined += (i == 0 ? "" : separator) + text(list[i]);
  }
  if (list.size() > shown) joined += " and " + std::to_string(list.size() - shown) + " more";
  return joined;
}

std::string PortsText(const std::vector<model::PortRange>& ports) {
  return Join(ports, kPortsShown, ",", [](const model::PortRange& range) {
    return std::to_string(range.first) +
           (range.last == range.first ? "" : "-" + std::to_string(range.last));
  });
}

std::string TypeText(std::uint8_t protocol, std::uint8_t type, std::optional<std::uint8_t> code) {
  return space::IcmpTypeName(protocol, type) + (code ? "/" + std::to_string(*code) : "");
}

std::string ProtocolText(std::uint8_t protocol) {
  const std::string name = space::ProtocolName(protocol);
  return space::HasPorts(protocol) || space::IsIcmp(protocol) ? name : "protocol " + name;
}

// What a mapping asks of layer 4; it asks for something.
std::string Layer4Text(const model::Mapping& mapping) {
  std::string text = Join(*mapping.protocols, kNamesShown, ",", ProtocolText);
  if (mapping.ports) text += "/" + PortsText(*mapping.ports);
  if (mapping.icmp_types) {
    text += "/" + Join(*mapping.icmp_types, kNamesShown, ",", [](const model::IcmpType& type) {
              return TypeText(type.protocol, type.type, type.code);
            });
  }
  return text;
}

const char* VerbOf(model::Action action) {
  switch (action) {
    case model::Action::kAllow:
      return "allows";
    case model::Action::kProxy:
      return "proxies";
    case model::Action::kRedirect:
      return "redirects";
    case model::Action::kDeny:
    case model::Action::kReject:
      break;
  }
  return nullptr;
}

bool IsIn(const Ports& ports, std::uint16_t port) {
  return !ports || std::any_of(ports->begin(), ports->end(), [&](const model::PortRange& range) {
    return range.first <= port && port <= range.last;
  });
}

bool HasProtocol(const model::Mapping& mapping, const space::Flow& flow) {
  return !mapping.protocols || std::find(mapping.protocols->begin(), mapping.protocols->end(),
                                         flow.protocol) != mapping.protocols->end();
}

bool HasType(const model::Mapping& mapping, const space::Flow& flow) {
  const auto& types = mapping.icmp_types;
  return !types || std::any_of(types->begin(), types->end(), [&](const model::IcmpType& type) {
    return type.protocol == flow.protocol && type.type == flow.icmp_type &&
           type.code.value_or(flow.icmp_code) == flow.icmp_code;
  });
}

bool MatchesLayer4(const model::Mapping& mapping, const space::Flow& flow) {
  if (!HasProtocol(mapping, flow)) return false;
  return flow.later_fragment ||
         (IsIn(mapping.ports, flow.destination_port) && HasType(mapping, flow));
}

bool HoldsOne(const Services& services, const std::vector<bool>& held) {
  return !services || std::any_of(services->begin(), services->end(),
                                  [&](std::uint32_t service) { return held[service]; });
}

// Less is nearer: how many respects, then which.
auto DistanceOf(const model::Policy& policy, const space::Flow& flow, const NearMiss& miss) {
  const bool is_other_protocol = miss.layer4 && !HasProtocol(policy.mappings[miss.mapping], flow);
  const int respects = miss.from + miss.to + miss.layer4 + miss.source_port;
  const int weight =
      miss.source_port + 2 * miss.layer4 + 4 * is_other_protocol + 8 * miss.to + 16 * miss.from;
  return std::tuple(respects, weight, miss.mapping);
}

space::Uint128 SizeOf(const space::IntervalSet<space::Uint128>& addresses) {
  space::Uint128 size = 0;
  // Less by one for each interval, so that all of IPv6 is a number, too.
  for (const auto& part : addresses.intervals()) size += part.last - part.first;
  return size;
}

}  // namespace

std::string Layer4Text(const space::Flow& flow) {
  std::string protocol = ProtocolText(flow.protocol);
  if (flow.later_fragment) return protocol + " fragments";
  if (space::HasPorts(flow.protocol)) {
    return protocol + "/" + std::to_string(flow.destination_port);
  }
  if (!space::IsIcmp(flow.protocol)) return protocol;
  const std::optional<std::uint8_t> code =
      flow.icmp_code == 0 ? std::nullopt : std::optional(flow.icmp_code);
  return protocol + "/" + TypeText(flow.protocol, flow.icmp_type, code);
}

Explainer::Explainer(const model::Policy& policy)
    : policy_(policy),
      most_known_(std::clamp<std::size_t>(kMostBits / (policy.services.size() + 1), 16, 4096)) {}

const Explainer::Held& Explainer::ServicesThatHold(const space::Address& address) const {
  const auto key = std::pair(address.family, address.value);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= most_known_) known_.clear();
  Held held(policy_.services.size());
  for (std::size_t i = 0; i < held.size(); ++i)
    held[i] = policy_.services[i].addresses.Contains(address);
  return known_.emplace(key, std::move(held)).first->second;
}

const model::Service* Explainer::ServiceOf(const space::Address& address) const {
  const Held& held = ServicesThatHold(address);
  const auto size_of = [&](const model::Service& service) {
    return SizeOf(service.addresses.In(address.family));
  };
  const model::Service* smallest = nullptr;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (!held[i]) continue;
    const model::Service& service = policy_.services[i];
    if (smallest == nullptr || size_of(service) < size_of(*smallest)) smallest = &service;
  }
  return smallest;
}

std::string Explainer::NameOf(const space::Address& address) const {
  const model::Service* service = ServiceOf(address);
  return service != nullptr ? service->name : address.ToString();
}

std::string Explainer::NoMapping(const space::Flow& flow) const {
  return "no mapping from " + NameOf(flow.source) + " to " + NameOf(flow.destination) + " " +
         Layer4Text(flow);
}

std::vector<NearMiss> Explainer::Nearest(const space::Flow& flow, std::size_t most) const {
  // A copy: looking up the second may forget the first.
  const Held sources = ServicesThatHold(flow.source);
  const Held& destinations = ServicesThatHold(flow.destination);
  int fewest = 2;
  std::vector<NearMiss> nearest;
  for (std::uint32_t i = 0; i < policy_.mappings.size(); ++i) {
    const model::Mapping& mapping = policy_.mappings[i];
    if (mapping.audit || VerbOf(mapping.action) == nullptr) continue;
    const NearMiss miss{i, !HoldsOne(mapping.from, sources), !HoldsOne(mapping.to, destinations),
                        !MatchesLayer4(mapping, flow),
                        !flow.later_fragment && !IsIn(mapping.source_ports, flow.source_port)};
    const int respects = miss.from + miss.to + miss.layer4 + miss.source_port;
    if (respects == 0 || respects > fewest) continue;
    if (respects < fewest) nearest.clear();
    fewest = respects;
    nearest.push_back(miss);
  }
  const std::size_t shown = std::min(most, nearest.size());
  std::partial_sort(nearest.begin(), nearest.begin() + static_cast<std::ptrdiff_t>(shown),
                    nearest.end(), [&](const NearMiss& a, const NearMiss& b) {
                      return DistanceOf(policy_, flow, a) < DistanceOf(policy_, flow, b);
                    });
  nearest.resize(shown);
  return nearest;
}

std::string Explainer::NamesOf(const std::vector<std::uint32_t>& services) const {
  return Join(services, kNamesShown, ", ",
              [&](std::uint32_t index) { return policy_.services[index].name; });
}

std::string Explainer::Describe(const NearMiss& miss) const {
  const model::Mapping& mapping = policy_.mappings[miss.mapping];
  const char* verb = VerbOf(mapping.action);
  std::string text = verb != nullptr ? verb : "denies";
  text += " " + (miss.layer4 ? Layer4Text(mapping) : std::string("it"));
  if (miss.from) text += " from " + NamesOf(*mapping.from);
  if (miss.to) text += " to " + NamesOf(*mapping.to);
  if (miss.layer4 && !miss.from && !miss.to) text += " to it";
  if (miss.source_port) text += " with source port " + PortsText(*mapping.source_ports);
  return text;
}

std::optional<std::uint32_t> Explainer::OppositeOf(const space::Flow& flow) const {
  space::Flow opposite = flow;
  std::swap(opposite.source, opposite.destination);
  std::swap(opposite.source_port, opposite.destination_port);
  if (space::IsIcmp(flow.protocol)) {
    const std::uint8_t reply = flow.protocol == space::kIcmp ? 0 : 129;
    if (flow.icmp_type != reply) return std::nullopt;
    opposite.icmp_type = space::EchoRequest(flow.protocol);
  }
  const auto decision = prove::ModelEngine(policy_).Decide(opposite);
  if (!decision || decision->action != model::Action::kAllow) return std::nullopt;
  return decision->mapping;
}

}  // namespace march::explain
