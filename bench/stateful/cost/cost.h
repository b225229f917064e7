// What a packet costs the program, without any network: nanoseconds, and those over the floor.
#pragma once

#include "bench/common/results.h"
#include "bench/stateful/options.h"

namespace march::bench {

// Every subject is measured in every round, one after the other, with the same packets. What each
// let pass is checked by its counters; a subject that errs ends the program.
void MeasureCost(const Options& options, Results& results);

}  // namespace march::bench
