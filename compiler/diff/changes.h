// Where two policies decide differently: exact, over all packets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/model/policy.h"
#include "compiler/ruleset/ruleset.h"
#include "compiler/space/packet_set.h"

namespace march::diff {

// One of the two, with its rules in order. Does not own.
struct Side {
  const model::Policy& policy;
  const ruleset::RuleSet& rules;
};

// Packets that the old policy treats in one way and the new one in another: with another action, or
// with other attributes.
struct Change {
  space::PacketSet packets;             // not empty
  std::optional<std::uint32_t> before;  // what decides: an index into the rules; none: the default
  std::optional<std::uint32_t> after;
};

// Disjoint, together all packets whose treatment differs, in order of precedence. Its cost grows
// with what was changed, not with what was not.
std::vector<Change> FindChanges(const Side& before, const Side& after);

// Later fragments have no ports (ruleset::DroppedFragments). Those that pass on one side only, as
// packets of all ports of their protocol between their addresses.
space::PacketSet FindFragmentChanges(const Side& before, const Side& after);

// What a change may do to host names (`fqdns`): they could be any address.
struct NamedReach {
  std::uint32_t mapping = 0;  // index into Policy::mappings
  space::PacketSet packets;   // that the mapping could match
};

// Of the mappings of `side` that match names: those that say something else, or nothing, in
// `other`, with all they could match; and of those that stay, what mappings that were changed could
// take from them or leave to them.
std::vector<NamedReach> FindNamedChanges(const Side& side, const Side& other);

// What is done with a packet that this rule decides, beyond matching it: equal texts, equal
// treatment.
std::string TreatmentOf(const Side& side, std::optional<std::uint32_t> rule);

}  // namespace march::diff
