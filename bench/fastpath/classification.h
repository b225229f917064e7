// What judging a packet costs, without any network: nanoseconds over the floor.
#pragma once

#include "bench/fastpath/options.h"
#include "bench/fastpath/results.h"
#include "bench/fastpath/workspace.h"

namespace march::bench {

// Every subject is measured in every round, one after the other. Before, each one's verdicts on the
// traffic are compared with ours, and ours with the plain reading of the rules; a subject that errs
// ends the program.
void MeasureClassification(const ClassifyOptions& options, const Workspace& workspace,
                           Results& results);

}  // namespace march::bench
