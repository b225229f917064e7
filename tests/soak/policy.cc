#include "tests/soak/policy.h"

#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include "tests/soak/address.h"

namespace march::soak {
namespace {

using Half = Group::Half;
using Families = Group::Families;
using What = Mapping::What;

constexpr std::uint32_t kIcmp = 1;
constexpr std::uint32_t kTcp = 6;

constexpr std::size_t kMappings = 14;
constexpr std::size_t kChanged = 2;
constexpr std::uint32_t kAllNewOneIn = 20;

// The low half of a network's hosts shares its last four bits, as does the high one.
constexpr std::uint32_t kHalfSize = 16;

std::string PrefixV4(const Group& group) {
  const std::string side = "10." + std::to_string(group.side) + ".";
  if (group.network == 0) return side + "0.0/16";
  const std::string network = side + std::to_string(group.network) + ".";
  if (group.half == Half::kBoth) return network + "0/24";
  return network + (group.half == Half::kLow ? "0/28" : "16/28");
}

std::string PrefixV6(const Group& group) {
  const std::string side = "2001:db8:" + std::to_string(group.side);
  if (group.network == 0) return '"' + side + "::/48\"";
  const std::string network = '"' + side + ":" + std::to_string(group.network);
  if (group.half == Half::kBoth) return network + "::/64\"";
  return network + (group.half == Half::kLow ? "::/124\"" : "::10/124\"");
}

Group AnyGroup(std::uint32_t side, bool is_small, tests::Random& random) {
  Group group;
  const std::uint32_t kind = is_small ? 2 + random.Below(2) : random.Below(4);
  if (kind == 0) return group;
  group.side = side;
  if (kind >= 2) group.network = kFirstNetwork + random.Below(kNetworks);
  if (kind == 3) group.half = random.OneIn(2) ? Half::kLow : Half::kHigh;
  if (random.OneIn(4)) group.families = random.OneIn(2) ? Families::kV4 : Families::kV6;
  return group;
}

bool ShareFamily(const Group& one, const Group& other) {
  return one.families == Families::kBoth || other.families == Families::kBoth ||
         one.families == other.families;
}

Mapping AnyMapping(tests::Random& random) {
  Mapping mapping;
  const std::uint32_t side = random.OneIn(4) ? kServerSide : kClientSide;
  mapping.allow = !random.OneIn(4);
  do {
    // Or hardly anything would be allowed.
    const bool is_small = !mapping.allow;
    mapping.from = AnyGroup(side, is_small, random);
    mapping.to = AnyGroup(OtherSide(side), false, random);
  } while (!ShareFamily(mapping.from, mapping.to));
  mapping.priority = static_cast<int>(random.Below(3));
  const std::uint32_t what = random.Below(10);
  if (what < 2) mapping.what = What::kPing;
  if (what == 2 && !mapping.allow) mapping.what = What::kAll;
  const std::uint32_t protocols = random.Below(4);
  mapping.tcp = protocols != 0;
  mapping.udp = protocols != 1;
  if (random.OneIn(3)) return mapping;
  const auto ports = static_cast<std::uint32_t>(std::size(kServicePorts));
  const std::uint32_t first = random.Below(ports);
  mapping.first_port = kServicePorts[first];
  mapping.last_port = kServicePorts[first + random.Below(ports - first)];
  return mapping;
}

std::string ProtocolsOf(const Mapping& mapping) {
  if (mapping.what == What::kPing) {
    return "protocols: [icmp, icmpv6], icmp_types: [echo-request], ";
  }
  if (mapping.what == What::kAll) return "";
  const std::string protocols = mapping.tcp && mapping.udp ? "tcp, udp"
                                : mapping.tcp              ? "tcp"
                                                           : "udp";
  return "protocols: [" + protocols + "], ports: [" + std::to_string(mapping.first_port) + "-" +
         std::to_string(mapping.last_port) + "], ";
}

}  // namespace

bool Group::IsAny() const {
  return side == 0;
}

bool Group::Has(std::uint64_t address) const {
  if (IsAny()) return true;
  const Place place = PlaceOf(address);
  if (place.is_v6 ? families == Families::kV4 : families == Families::kV6) return false;
  if (place.side != side) return false;
  if (network == 0) return true;
  const bool is_low = place.host < kHalfSize;
  return place.network == network && (half == Half::kBoth || is_low == (half == Half::kLow));
}

std::string Group::Name() const {
  std::string name = side == kClientSide ? "clients" : "servers";
  if (network != 0) name += "-" + std::to_string(network);
  if (half != Half::kBoth) name += half == Half::kLow ? "-low" : "-high";
  if (families != Families::kBoth) name += families == Families::kV4 ? "-v4" : "-v6";
  return name;
}

std::string Group::Addresses() const {
  if (families == Families::kV4) return "[" + PrefixV4(*this) + "]";
  if (families == Families::kV6) return "[" + PrefixV6(*this) + "]";
  return "[" + PrefixV4(*this) + ", " + PrefixV6(*this) + "]";
}

bool Mapping::Matches(std::uint32_t protocol, const tests::End& from_end,
                      const tests::End& to_end) const {
  if (!from.Has(from_end.address) || !to.Has(to_end.address)) return false;
  if (what == What::kAll) return true;
  if (protocol == kIcmp) return what == What::kPing;
  return what == What::kPorts && (protocol == kTcp ? tcp : udp) && first_port <= to_end.port &&
         to_end.port <= last_port;
}

std::string Mapping::Text() const {
  std::string text = "{ ";
  if (!from.IsAny()) text += "from: [" + from.Name() + "], ";
  if (!to.IsAny()) text += "to: [" + to.Name() + "], ";
  text += ProtocolsOf(*this);
  return text + "action: " + (allow ? "allow" : "deny") +
         ", priority: " + std::to_string(priority) + " }";
}

bool Policy::Allows(std::uint32_t protocol, const tests::End& from, const tests::End& to) const {
  std::optional<int> highest;
  bool is_allowed = false;
  for (const Mapping& mapping : mappings) {
    if (!mapping.Matches(protocol, from, to)) continue;
    if (highest && mapping.priority < *highest) continue;
    const bool is_higher = !highest || mapping.priority > *highest;
    is_allowed = mapping.allow && (is_higher || is_allowed);
    highest = mapping.priority;
  }
  return is_allowed;
}

std::string Policy::Yaml() const {
  std::map<std::string, std::string> services;
  for (const Mapping& mapping : mappings) {
    for (const Group& group : {mapping.from, mapping.to}) {
      if (!group.IsAny()) services[group.Name()] = group.Addresses();
    }
  }
  std::ostringstream yaml;
  yaml << "apiVersion: march/v1\nkind: Policy\nservices:\n";
  for (const auto& [name, addresses] : services) {
    yaml << "  " << name << ": { addresses: " << addresses << " }\n";
  }
  yaml << "  fences: { addresses: [10.1.255.254, 10.2.255.254, \"2001:db8:1:ff::fe\", "
          "\"2001:db8:2:ff::fe\"] }\n"
       << "  nobody: { addresses: [192.0.2.0/24] }\nmappings:\n"
       << "  fence: { from: [fences], to: [fences], protocols: [udp], ports: [" << kFencePort
       << "], stateful: false, priority: 1000 }\n"
       // So that no two policies are the same.
       << "  number: { from: [nobody], to: [nobody], protocols: [udp], ports: ["
       << 1 + number % 0xFFFF << "] }\n";
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    yaml << "  m" << i << ": " << mappings[i].Text() << "\n";
  }
  return yaml.str();
}

Policy NextPolicy(const Policy& before, tests::Random& random) {
  Policy next = before;
  ++next.number;
  if (next.mappings.empty() || random.OneIn(kAllNewOneIn)) {
    next.mappings.clear();
    for (std::size_t i = 0; i < kMappings; ++i) next.mappings.push_back(AnyMapping(random));
    return next;
  }
  for (std::size_t i = 0; i < kChanged; ++i) {
    next.mappings[random.Below(kMappings)] = AnyMapping(random);
  }
  return next;
}

}  // namespace march::soak
