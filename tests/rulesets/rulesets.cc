#include "tests/rulesets/rulesets.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>

#include "compiler/space/protocol.h"

namespace march::tests {
namespace {

using space::Address;
using space::Family;
using space::Prefix;
using space::Uint128;

// An index below `count`, the lower the likelier: the k-th about in proportion to 1/k.
std::uint32_t Skewed(Random& random, std::uint32_t count) {
  const double u = static_cast<double>(random.Next() >> 11) * 0x1.0p-53;
  const double x = std::pow(static_cast<double>(count) + 1, u) - 1;
  return std::min(static_cast<std::uint32_t>(x), count - 1);
}

Uint128 Spread(Random& random) {
  return Uint128{random.Next()} << 64 | random.Next();
}

// A site's network that the others lie in: private and documentation ranges.
Prefix SiteOf(Family family, std::uint32_t site) {
  if (family == Family::kV4) {
    return Prefix::Of({family, Uint128{0x0A000000 + (site % 256) * 0x10000}}, 16);
  }
  return Prefix::Of({family, (Uint128{0x20010DB8} << 96) + (Uint128{site} << 80)}, 48);
}

// A network or host inside one of so many sites.
Prefix Inside(Random& random, Family family, std::uint32_t sites) {
  static const std::vector<unsigned> lengths4 = {20, 24, 24, 24, 26, 28, 29, 32, 32, 32};
  static const std::vector<unsigned> lengths6 = {56, 64, 64, 64, 64, 64, 128, 128};
  const Prefix site = SiteOf(family, random.Below(sites));
  const unsigned bits = family == Family::kV4 ? 32 : 128;
  const Uint128 free = (Uint128{1} << (bits - site.length)) - 1;
  Uint128 host = Spread(random) & free;
  // Hosts of IPv6 are mostly numbered by hand.
  if (family == Family::kV6 && !random.OneIn(4)) {
    host = (host >> 64 << 64) | (host & 0xFF);
  }
  const unsigned length = random.Pick(family == Family::kV4 ? lengths4 : lengths6);
  return Prefix::Of({family, site.address.value | host}, length);
}

Prefix AnyOf(Family family) {
  return Prefix::Of({family, 0}, 0);
}

// Distinct networks.
std::vector<Prefix> Networks(Random& random, Family family, std::uint32_t count) {
  const std::uint32_t sites = family == Family::kV4 ? 256 : std::max(16U, count / 64);
  std::set<std::pair<Uint128, unsigned>> seen;
  std::vector<Prefix> networks;
  while (networks.size() < count) {
    const Prefix prefix = Inside(random, family, sites);
    if (seen.emplace(prefix.address.value, prefix.length).second) networks.push_back(prefix);
  }
  return networks;
}

void PickPorts(Random& random, PlainRule& rule) {
  static const std::vector<std::uint16_t> known = {443, 80, 5432, 53, 22, 6379, 9092, 3306, 8080};
  rule.protocol = random.OneIn(5) ? space::kUdp : space::kTcp;
  const std::uint32_t kind = random.Below(10);
  if (kind < 4) {
    rule.first_port = rule.last_port = random.Pick(known);
  } else if (kind < 8) {
    rule.first_port = rule.last_port = static_cast<std::uint16_t>(8000 + random.Below(300));
  } else {
    // A few dozen distinct ranges.
    rule.first_port = static_cast<std::uint16_t>(10000 + 1000 * random.Below(30));
    rule.last_port = static_cast<std::uint16_t>(rule.first_port + (random.OneIn(2) ? 999 : 99));
  }
}

PlainRule MakeRule(Random& random, const RulesetOptions& options,
                   const std::vector<Prefix>& networks) {
  const auto count = static_cast<std::uint32_t>(networks.size());
  const auto some = [&] { return networks[Skewed(random, count)]; };
  const auto evenly = [&] { return networks[random.Below(count)]; };
  const auto site = [&] { return SiteOf(options.family, random.Below(16)); };
  const Prefix any = AnyOf(options.family);
  PlainRule rule;
  PickPorts(random, rule);
  const std::uint32_t kind = random.Below(100);
  switch (options.style) {
    case Style::kMesh:
      rule.source = evenly();
      rule.destination = random.OneIn(2) ? some() : evenly();
      break;
    case Style::kAcl:
      rule.source = kind < 40 ? any : kind < 60 ? site() : some();
      rule.destination = kind < 95 ? evenly() : site();
      rule.allow = !random.OneIn(10);
      break;
    case Style::kFirewall:
      rule.source = kind < 30 ? any : kind < 45 ? site() : evenly();
      rule.destination = kind >= 30 && kind < 60 ? any : kind < 90 ? evenly() : site();
      rule.allow = !random.OneIn(3);
      rule.priority = static_cast<std::int32_t>(random.Below(8)) * 10;
      break;
    case Style::kChain:
      rule.source = kind < 85 ? any : site();
      rule.destination = evenly();
      rule.priority = static_cast<std::int32_t>(random.Below(1000));
      break;
  }
  return rule;
}

auto KeyOf(const PlainRule& rule) {
  return std::tuple(rule.source.address.value, rule.source.length, rule.destination.address.value,
                    rule.destination.length, rule.protocol, rule.first_port, rule.last_port);
}

std::string Numbered(const char* prefix, std::size_t number) {
  char text[24];
  std::snprintf(text, sizeof(text), "%s%07zu", prefix, number);
  return text;
}

Uint128 AddressIn(Random& random, const Prefix& prefix) {
  const unsigned bits = prefix.address.family == Family::kV4 ? 32 : 128;
  const unsigned free = bits - prefix.length;
  const Uint128 mask = free == 128 ? ~Uint128{0} : (Uint128{1} << free) - 1;
  return prefix.address.value | (Spread(random) & mask);
}

}  // namespace

std::string_view NameOf(Style style) {
  constexpr std::string_view kNames[] = {"mesh", "acl", "firewall", "chain"};
  return kNames[static_cast<std::size_t>(style)];
}

std::string_view NameOf(Traffic traffic) {
  constexpr std::string_view kNames[] = {"first", "last", "default", "uniform", "zipf"};
  return kNames[static_cast<std::size_t>(traffic)];
}

std::vector<PlainRule> MakeRuleset(const RulesetOptions& options) {
  Random random(options.seed);
  // Chains protect few hosts with many rules each; elsewhere there are a few rules a network.
  const std::uint32_t share = options.style == Style::kChain ? 20 : 5;
  const std::vector<Prefix> networks =
      Networks(random, options.family, std::max(4U, options.rules / share));
  std::set<decltype(KeyOf(PlainRule()))> seen;
  std::vector<PlainRule> rules;
  while (rules.size() < options.rules) {
    const PlainRule rule = MakeRule(random, options, networks);
    if (seen.insert(KeyOf(rule)).second) rules.push_back(rule);
  }
  return rules;
}

std::vector<std::string> PolicyOf(const std::vector<PlainRule>& rules) {
  constexpr std::size_t kMappingsEach = 5000;
  constexpr const char* kHead = "apiVersion: march/v1\nkind: Policy\n";
  std::map<std::pair<Uint128, unsigned>, std::string> known;
  std::string services;
  const auto service_of = [&](const Prefix& prefix) {
    std::string& name = known[{prefix.address.value, prefix.length}];
    if (name.empty()) {
      name = Numbered("s", known.size() - 1);
      services += "  " + name + ": {addresses: [\"" + prefix.ToString() + "\"]}\n";
    }
    return "[" + name + "]";
  };
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < rules.size(); at += kMappingsEach) {
    std::string mappings = "mappings:\n";
    services.clear();
    for (std::size_t i = at; i < std::min(at + kMappingsEach, rules.size()); ++i) {
      const PlainRule& rule = rules[i];
      mappings += "  " + Numbered("r", i) + ": {";
      if (rule.source.length > 0) mappings += "from: " + service_of(rule.source) + ", ";
      if (rule.destination.length > 0) mappings += "to: " + service_of(rule.destination) + ", ";
      mappings += "protocols: [" + space::ProtocolName(rule.protocol) + "], ports: [" +
                  std::to_string(rule.first_port);
      if (rule.last_port != rule.first_port) mappings += "-" + std::to_string(rule.last_port);
      mappings += "]";
      if (!rule.allow) mappings += ", action: deny";
      if (rule.priority != 0) mappings += ", priority: " + std::to_string(rule.priority);
      mappings += "}\n";
    }
    texts.push_back(kHead + (services.empty() ? "" : "services:\n" + services) + mappings);
  }
  return texts;
}

std::vector<Packet> MakeTraffic(const std::vector<PlainRule>& rules, Traffic traffic,
                                std::size_t count, std::uint64_t seed) {
  Random random(seed);
  // Popularity has nothing to do with precedence.
  std::vector<std::uint32_t> order(rules.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[random.Below(static_cast<std::uint32_t>(i))]);
  }
  const auto size = static_cast<std::uint32_t>(rules.size());
  std::vector<Packet> packets;
  packets.reserve(count);
  while (packets.size() < count) {
    const PlainRule* rule = &rules[order[random.Below(size)]];
    if (traffic == Traffic::kFirst) rule = &rules.front();
    if (traffic == Traffic::kLast) rule = &rules.back();
    if (traffic == Traffic::kZipf) rule = &rules[order[Skewed(random, size)]];
    Packet packet;
    packet.source = AddressIn(random, rule->source);
    packet.destination = AddressIn(random, rule->destination);
    packet.protocol = rule->protocol;
    packet.source_port = static_cast<std::uint16_t>(1024 + random.Below(60000));
    packet.destination_port = static_cast<std::uint16_t>(
        rule->first_port + random.Below(std::uint32_t{rule->last_port} - rule->first_port + 1));
    if (traffic == Traffic::kDefault) {
      packet.destination = AddressIn(random, rules[random.Below(size)].destination);
      packet.destination_port = static_cast<std::uint16_t>(50000 + random.Below(10000));
    }
    packets.push_back(packet);
  }
  return packets;
}

}  // namespace march::tests
