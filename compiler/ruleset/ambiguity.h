// Rule 3 of design section 2: mappings that would treat one packet differently.
#pragma once

#include "base/diagnostic.h"
#include "compiler/ruleset/ruleset.h"

namespace march::ruleset {

// kAmbiguousMappings for each pair of rules of one priority and action whose attributes differ and
// that some packet would leave to choose from; with that packet. At most 20.
Diagnostics FindAmbiguities(const RuleSet& rules);

}  // namespace march::ruleset
