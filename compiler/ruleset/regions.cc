#include "compiler/ruleset/regions.h"

#include <utility>
#include <vector>

namespace march::ruleset {
namespace {

// Fragments that the rule matches whatever their ports are.
space::PacketSet MatchedAtEveryPort(const Rule& rule) {
  if (rule.source_ports != space::EveryPort()) return {};
  std::vector<space::Interval<std::uint32_t>> whole;
  for (const auto& part : rule.l4.intervals()) {
    // The protocols that lie in it from end to end.
    const std::uint32_t first = (part.first + 0xFFFF) >> 16;
    const std::uint32_t end = (part.last + 1) >> 16;
    if (first < end) whole.push_back({first << 16, (end << 16) - 1});
  }
  return space::PacketSet::Of(*rule.source, *rule.destination, L4Set(std::move(whole)),
                              rule.source_ports);
}

}  // namespace

space::PacketSet PacketsOf(const Rule& rule) {
  return space::PacketSet::Of(*rule.source, *rule.destination, rule.l4, rule.source_ports);
}

std::vector<Region> Decide(const RuleSet& rules, space::PacketSet packets) {
  std::vector<Region> regions;
  for (std::uint32_t i = 0; i < rules.rules.size() && !packets.empty(); ++i) {
    const space::PacketSet matched = PacketsOf(rules.rules[i]);
    if (!Overlaps(packets, matched)) continue;
    regions.push_back({Intersect(packets, matched), i});
    packets.Subtract(matched);
  }
  if (!packets.empty()) regions.push_back({std::move(packets), std::nullopt});
  return regions;
}

space::PacketSet WithAllPorts(const space::PacketSet& packets) {
  space::PacketSet whole;
  for (space::Product product : packets.products()) {
    std::vector<space::Interval<std::uint32_t>> keys;
    for (const auto& part : product.l4.intervals()) {
      keys.push_back({part.first & ~std::uint32_t{0xFFFF}, part.last | 0xFFFF});
    }
    product.l4 = space::L4Set(std::move(keys));
    product.source_port = space::EveryPort();
    whole.Add(space::PacketSet(std::move(product)));
  }
  return whole;
}

space::PacketSet DroppedFragments(const RuleSet& rules, space::PacketSet fragments) {
  space::PacketSet dropped;
  for (const Rule& rule : rules.rules) {
    if (fragments.empty()) break;
    const space::PacketSet matched = PacketsOf(rule);
    if (!Overlaps(fragments, matched)) continue;
    if (rule.action == model::Action::kAllow) {
      fragments.Subtract(MatchedAtEveryPort(rule));
      continue;
    }
    const space::PacketSet may_match = WithAllPorts(matched);
    dropped.Add(Intersect(fragments, may_match));
    fragments.Subtract(may_match);
  }
  if (rules.default_action != model::Action::kAllow) dropped.Add(fragments);
  return dropped;
}

}  // namespace march::ruleset
