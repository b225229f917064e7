// What mappings ask for beyond allow and deny, as words and records of the classifier tables
// (bundle/abi/tables.h, bundle/abi/limit.h).
#pragma once

#include <cstdint>
#include <vector>

#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"
#include "compiler/classify/leaves.h"
#include "compiler/classify/lines.h"

namespace march::classify {

// MARCH_FEATURE_*: what a program for these rules must be able to do. `rules` are in order of
// precedence, as everywhere here.
std::uint8_t FeaturesOf(const ruleset::RuleSet& set, const OrderedRules& rules);

// Adds the treatments, if there are any, and fills in where `header` has them.
void AppendTreatments(const ruleset::RuleSet& set, const OrderedRules& rules, Lines& lines,
                      march_tables_header& header);

}  // namespace march::classify
