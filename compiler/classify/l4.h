// Layer-4 tables: from an ordered list of rules that match both addresses to the verdict on every
// protocol, port and fragment.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/classify/classes.h"
#include "compiler/ruleset/ruleset.h"

namespace march::classify {

// The verdict word of a rule, and of no rule.
std::uint32_t VerdictOf(const ruleset::Rule& rule);
std::uint32_t DefaultVerdict(const ruleset::RuleSet& rules);

// Drops what can never decide: every rule behind one that matches all of layer 4.
void Prune(const ruleset::RuleSet& rules, RuleIds& ids);

// The packed run over all layer-4 keys, fragment keys included.
//
// A later fragment has no ports. If one verdict holds at every destination port of its protocol, it
// gets that; if several hold but all allow, the one of the rule that comes first; otherwise it is
// dropped in MARCH_SLOT_FRAGMENT, since its ports could have made it so.
std::vector<std::uint64_t> BuildL4Run(const ruleset::RuleSet& rules, const RuleIds& ids);

}  // namespace march::classify
