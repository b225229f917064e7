// Real frames from clients to servers, through a gateway.
#pragma once

#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/stateful/options.h"

namespace march::bench {

// Every subject stands on a gateway of its own; all of them get the same frames in every round, one
// after the other. After each measurement the counters must add up to the frame: all that was sent
// arrived; what arrived was denied, by the subject's own count, or sent on; connections were new
// exactly where they had to be. Anything else ends the program.
void MeasureLive(const Options& options, const Workspace& workspace, Results& results);

}  // namespace march::bench
