// Real frames over a veth pair, judged on the way through a gateway.
#pragma once

#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/fastpath/options.h"

namespace march::bench {

// Every subject stands on a gateway of its own; all of them get the same traffic in every round,
// one after the other. One CPU sends without a limit, another one does all that is the gateway's.
// After each measurement the counters must add up to the frame: what arrived was denied, by the
// subject's own count, or routed; anything else ends the program.
void MeasureLive(const LiveOptions& options, const Workspace& workspace, Results& results);

}  // namespace march::bench
