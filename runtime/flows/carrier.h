// From one table of flows to another: what happens to connections when their tables get other
// sizes.
#pragma once

#include <cstdint>

#include "runtime/flows/flow_table.h"

namespace march::flows {

struct Carried {
  std::uint64_t flows = 0;
  std::uint64_t lost = 0;  // there was no place for them
};

// Programs may change both tables meanwhile. Call it before programs turn to the new table, and
// once more when none uses the old one: the second call finds what changed in between. Of flows
// that `to` has already, it adds what ended them (FIN, RST, a cut); packets that were counted in
// `from` between the two calls are missing in their counts. Flows that have ended are left behind.
//
// Both tables were hashed with one secret.
Carried CarryFlows(const FlowTable& from, FlowTable& to, Tick now);

}  // namespace march::flows
