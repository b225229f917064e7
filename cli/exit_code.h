// The exit codes of design section 3.
#pragma once

#include "base/diagnostic.h"

namespace march::cli {

enum ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kInvalidPolicy = 3,
  kTestsFailed = 4,
  kRefused = 5,
  kUsage = 64,
};

// The code for a run that ended with these diagnostics: kOk without errors, else that of the
// gravest kind among them (refused, then proof failed, then invalid policy, then failed).
ExitCode ExitCodeOf(const Diagnostics& diagnostics);

}  // namespace march::cli
