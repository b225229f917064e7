// Real frames from clients to servers, through a gateway.
#pragma once

#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/stateful/options.h"

namespace march::bench {

// Every subject stands on a gateway of its own; all of them get the same traffic in every round,
// one after the other. One CPU sends without a limit, another one does all that is the gateway's.
// After each measurement the counters must add up to the frame: what arrived was denied, by the
// subject's own count, or sent on, and connections were new exactly where they had to be; anything
// else ends the program.
void MeasureLive(const Options& options, const Workspace& workspace, Results& results);

}  // namespace march::bench
