// Lint: what a policy says that it need not, or surely does not mean. Exact: every finding is about
// packets, not about text, and has been checked with the packets or mappings that it names.
//
// Batfish's line reachability is the model; Aerleon's shade check, which compares pairs only, is
// what this improves on: a mapping may be covered by several others together.
#pragma once

#include "base/diagnostic.h"
#include "compiler/model/policy.h"
#include "compiler/ruleset/ruleset.h"

namespace march::lint {

// All findings, sorted by place. `rules` are those of `policy`.
Diagnostics Lint(const model::Policy& policy, const ruleset::RuleSet& rules);

// kUnreachable: a mapping that decides no packet, with a smallest set of mappings that take all of
//   them: without any one of these, some packet would be left. kMatchesNothing: one that no packet
//   can match.
// kRedundant: a mapping without which every packet would have the same verdict and attributes.
// Those
//   that are unreachable are taken to be gone already.
// kPartlyShadowed: a mapping some of whose packets a stricter mapping of its own priority takes.
void CheckReachability(const model::Policy& policy, const ruleset::RuleSet& rules,
                       Diagnostics& out);
// kOverBroad: an allow that lets every address reach every address on all ports of a protocol.
void CheckBreadth(const ruleset::RuleSet& rules, Diagnostics& out);
// kUnusedService, kEmptyService, kOverlappingServices.
void CheckServices(const model::Policy& policy, Diagnostics& out);
// kWrongFamily: ICMP of the one address family, without that of the other, between addresses of the
// other.
void CheckFamilies(const model::Policy& policy, const ruleset::RuleSet& rules, Diagnostics& out);

}  // namespace march::lint
