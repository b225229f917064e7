// Layer-4 tables: from an ordered list of rules that match both addresses to the verdict on every
// protocol, port and fragment.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/classify/classes.h"
#include "compiler/ruleset/ruleset.h"

namespace march::classify {

// The verdict word of a rule, and of no rule.
std::uint32_t VerdictOf(const ruleset::Rule& rule);
std::uint32_t DefaultVerdict(const ruleset::RuleSet& rules);

// Verdicts on packets that a mapping under audit would judge: numbered, each pair once.
class AuditedVerdicts {
 public:
  // What the layer-4 table says then.
  std::uint32_t Add(std::uint32_t verdict, std::uint32_t audit_slot);
  // The words of bundle/abi/tables.h, by number.
  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  std::map<std::uint64_t, std::uint32_t> numbers_;
  std::vector<std::uint64_t> words_;
};

// Drops what can never decide: every rule behind one that matches all of layer 4 and decides.
void Prune(const ruleset::RuleSet& rules, RuleIds& ids);

// The packed run over all layer-4 keys, fragment keys included.
//
// A later fragment has no ports. If one verdict holds at every destination port of its protocol, it
// gets that; if several hold but all allow, the one of the rule that comes first; otherwise it is
// dropped in MARCH_SLOT_FRAGMENT, since its ports could have made it so. A mapping under audit
// would judge it if it would at every port.
std::vector<std::uint64_t> BuildL4Run(const ruleset::RuleSet& rules, const RuleIds& ids,
                                      AuditedVerdicts& audited);

}  // namespace march::classify
