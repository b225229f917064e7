// What judging a packet costs, without any network: nanoseconds over the floor.
#pragma once

#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/fastpath/options.h"

namespace march::bench {

// Every subject is measured in every round, one after the other. Before, each one's verdicts on the
// traffic are compared with ours, and ours with the plain reading of the rules; a subject that errs
// ends the program.
void MeasureClassification(const ClassifyOptions& options, const Workspace& workspace,
                           Results& results);

}  // namespace march::bench
