#include "compiler/prove/plain_policy.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

using space::Uint128;

constexpr std::uint32_t kLastPort = 0xFFFF;

// The addresses of every service: its own and its members', less its exceptions.
class Holdings {
 public:
  explicit Holdings(const model::Policy& policy)
      : policy_(policy), known_(policy.services.size(), false), held_(policy.services.size()) {}

  std::vector<space::AddressSet> Take() && {
    for (std::uint32_t i = 0; i < held_.size(); ++i) Of(i);
    return std::move(held_);
  }

 private:
  const space::AddressSet& Of(std::uint32_t index) {
    if (known_[index]) return held_[index];
    const model::Service& service = policy_.services[index];
    space::AddressSet all = space::AddressSet::Of(service.prefixes);
    for (const std::uint32_t member : service.members) all = Union(all, Of(member));
    known_[index] = true;
    held_[index] = Subtract(all, space::AddressSet::Of(service.except));
    return held_[index];
  }

  const model::Policy& policy_;
  std::vector<bool> known_;
  std::vector<space::AddressSet> held_;
};

KeyIntervals DetailsOf(const model::Mapping& mapping, std::uint8_t protocol) {
  KeyIntervals details;
  if (mapping.icmp_types) {
    for (const model::IcmpType& type : *mapping.icmp_types) {
      if (type.protocol != protocol) continue;
      details.push_back({MARCH_ICMP_PORT(type.type, type.code.value_or(0)),
                         MARCH_ICMP_PORT(type.type, type.code.value_or(0xFF))});
    }
  } else if (mapping.ports) {
    for (const model::PortRange& range : *mapping.ports) {
      details.push_back({range.first, range.last});
    }
  } else {
    details.push_back({0, kLastPort});
  }
  return space::IntervalSet<std::uint32_t>(std::move(details)).intervals();
}

KeyIntervals SourcePortsOf(const model::Mapping& mapping) {
  KeyIntervals ports;
  for (const model::PortRange& range :
       mapping.source_ports.value_or(std::vector<model::PortRange>())) {
    ports.push_back({range.first, range.last});
  }
  ports = space::IntervalSet<std::uint32_t>(std::move(ports)).intervals();
  if (ports == KeyIntervals{{0, kLastPort}}) ports.clear();
  return ports;
}

void ReadLayerFour(const model::Mapping& mapping, PlainMapping& plain) {
  const KeyIntervals everything = {{0, kLastPort}};
  plain.source_ports = SourcePortsOf(mapping);
  KeyIntervals certain;
  KeyIntervals perhaps;
  for (std::uint32_t protocol = 0; protocol < 256; ++protocol) {
    if (mapping.protocols &&
        !std::binary_search(mapping.protocols->begin(), mapping.protocols->end(), protocol)) {
      continue;
    }
    const KeyIntervals details = DetailsOf(mapping, static_cast<std::uint8_t>(protocol));
    for (const auto& part : details) {
      certain.push_back({MARCH_L4_KEY(protocol, part.first), MARCH_L4_KEY(protocol, part.last)});
    }
    const std::uint32_t fragment = MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0U);
    const bool every = details == everything && plain.source_ports.empty();
    (every ? certain : perhaps).push_back({fragment, fragment | kLastPort});
  }
  plain.certain = space::IntervalSet<std::uint32_t>(std::move(certain)).intervals();
  plain.perhaps = space::IntervalSet<std::uint32_t>(std::move(perhaps)).intervals();
}

std::vector<std::uint32_t> TellingKeysOf(const std::vector<PlainMapping>& mappings) {
  std::vector<std::uint32_t> keys;
  for (const PlainMapping& mapping : mappings) {
    for (const auto& part : mapping.certain) {
      if ((part.first & MARCH_L4_FRAGMENT) != 0) break;
      const auto protocol = static_cast<std::uint8_t>(part.first >> 16);
      if (space::HasPorts(protocol) || space::IsIcmp(protocol)) keys.push_back(part.first);
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// Where an address of a service begins or ends to be held.
struct Turn {
  Uint128 at = 0;
  std::uint32_t service = 0;
  bool begins = false;
};

std::vector<Turn> TurnsOf(const std::vector<space::AddressSet>& held, space::Family family,
                          const std::vector<std::vector<std::uint32_t>>& users) {
  std::vector<Turn> turns;
  for (std::uint32_t service = 0; service < held.size(); ++service) {
    if (users[service].empty()) continue;
    for (const auto& part : held[service].In(family).intervals()) {
      turns.push_back({part.first, service, true});
      if (part.last != space::LastOf(family)) turns.push_back({part.last + 1, service, false});
    }
  }
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) {
    return std::tuple(a.at, a.service, a.begins) < std::tuple(b.at, b.service, b.begins);
  });
  return turns;
}

}  // namespace

PlainPolicy::PlainPolicy(const model::Policy& policy)
    : policy_(policy),
      default_allow_(policy.default_action == model::Action::kAllow),
      held_(Holdings(policy).Take()) {
  std::vector<std::uint32_t> order(policy.mappings.size());
  std::iota(order.begin(), order.end(), 0);
  // Priority, then strictness, then the name.
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const model::Mapping& left = policy.mappings[a];
    const model::Mapping& right = policy.mappings[b];
    return std::tie(right.priority, left.action, left.name) <
           std::tie(left.priority, right.action, right.name);
  });
  for (const std::uint32_t index : order) {
    const model::Mapping& mapping = policy.mappings[index];
    PlainMapping plain;
    plain.mapping = index;
    plain.slot = MARCH_SLOT_FIRST_MAPPING + static_cast<std::uint32_t>(mappings_.size());
    plain.allow = mapping.action == model::Action::kAllow;
    plain.audit = mapping.audit;
    ReadLayerFour(mapping, plain);
    mappings_.push_back(std::move(plain));
  }
  telling_keys_ = TellingKeysOf(mappings_);
}

const std::optional<std::vector<std::uint32_t>>& PlainPolicy::ServicesAt(std::uint32_t place,
                                                                         End end) const {
  const model::Mapping& mapping = policy_.mappings[mappings_[place].mapping];
  return end == End::kSource ? mapping.from : mapping.to;
}

// Whether the mapping matches no packet of the family, since nothing is at one of its ends.
bool PlainPolicy::MatchesNothing(std::uint32_t place, space::Family family) const {
  const auto is_empty = [&](End end) {
    const auto& services = ServicesAt(place, end);
    return services && std::all_of(services->begin(), services->end(), [&](std::uint32_t service) {
             return held_[service].In(family).empty();
           });
  };
  return is_empty(End::kSource) || is_empty(End::kDestination);
}

ClassesOfEnd PlainPolicy::ReadClasses(const std::vector<AddressRange>& ranges, space::Family family,
                                      End end, Fault& fault) const {
  std::vector<std::vector<std::uint32_t>> users(held_.size());  // mappings by service
  std::vector<std::uint64_t> bits((mappings_.size() + 63) / 64, 0);
  for (std::uint32_t place = 0; place < mappings_.size(); ++place) {
    if (MatchesNothing(place, family)) continue;
    const auto& services = ServicesAt(place, end);
    if (!services) {
      bits[place / 64] |= std::uint64_t{1} << (place % 64);
      continue;
    }
    for (const std::uint32_t service : *services) users[service].push_back(place);
  }
  const std::vector<Turn> turns = TurnsOf(held_, family, users);
  // How many services of a mapping hold the address.
  std::vector<std::uint32_t> holders(mappings_.size(), 0);
  auto turn = turns.begin();
  const auto take_turns = [&](Uint128 until) {
    for (; turn != turns.end() && turn->at <= until; ++turn) {
      for (const std::uint32_t place : users[turn->service]) {
        holders[place] += turn->begins ? 1 : -1U;
        const std::uint64_t bit = std::uint64_t{1} << (place % 64);
        bits[place / 64] = holders[place] != 0 ? bits[place / 64] | bit : bits[place / 64] & ~bit;
      }
    }
  };
  const auto show = [&](Uint128 address) { return space::Address{family, address}.ToString(); };
  ClassesOfEnd result;
  result.ranges = ranges.size();
  std::map<std::uint32_t, ClassesOfEnd::Class> classes;
  for (const AddressRange& range : ranges) {
    ClassesOfEnd::Class& known = classes[range.value];
    take_turns(range.first);
    const char* const name = end == End::kSource ? "source" : "destination";
    if (known.edges.empty()) {
      known.value = range.value;
      known.mapping_bits = bits;
    } else if (known.mapping_bits != bits) {
      fault.Raise("take " + show(known.edges.front()) + " and " + show(range.first) + " for one " +
                  name + ", which the policy tells apart");
    }
    for (Uint128 before = range.first; turn != turns.end() && turn->at <= range.last;) {
      const Uint128 at = turn->at;
      take_turns(at);
      if (known.mapping_bits != bits) {
        fault.Raise("take " + show(before) + " and " + show(at) + " for one " + name +
                    ", which the policy tells apart");
        return result;
      }
      before = at;
    }
    known.edges.push_back(range.first);
    if (range.last != range.first) known.edges.push_back(range.last);
  }
  for (auto& [value, read] : classes) result.classes.push_back(std::move(read));
  return result;
}

}  // namespace march::prove
