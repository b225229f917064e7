#include "compiler/ruleset/regions.h"

#include <utility>

namespace march::ruleset {

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

}  // namespace march::ruleset
