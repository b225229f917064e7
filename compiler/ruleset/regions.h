// What an ordered rule set decides about whole sets of packets.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/ruleset/ruleset.h"
#include "compiler/space/packet_set.h"

namespace march::ruleset {

space::PacketSet PacketsOf(const Rule& rule);

struct Region {
  space::PacketSet packets;           // not empty
  std::optional<std::uint32_t> rule;  // index into RuleSet::rules; none: the default decides
};

// Cuts `packets` by the rule that decides: disjoint, together all of it, in order of precedence.
std::vector<Region> Decide(const RuleSet& rules, space::PacketSet packets);

// All ports of the protocols of these packets, between their addresses.
space::PacketSet WithAllPorts(const space::PacketSet& packets);

// Of later fragments, given as WithAllPorts gives them, those that are dropped. The first rule that
// matches whatever the ports decides; a rule before it that denies at some ports drops as well.
space::PacketSet DroppedFragments(const RuleSet& rules, space::PacketSet fragments);

}  // namespace march::ruleset
