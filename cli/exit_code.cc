#include "cli/exit_code.h"

#include <algorithm>

namespace march::cli {
namespace {

// By the code's hundred: see base/codes.def.
ExitCode ExitCodeOfOne(Code code) {
  if (code == Code::kProofFailed) return kTestsFailed;
  switch (InfoOf(code).id[2]) {
    case '1':
    case '2':
    case '3':
    case '4':
      return kInvalidPolicy;
    case '6':
    case '9':
      return kRefused;
    default:
      return kFailed;
  }
}

}  // namespace

ExitCode ExitCodeOf(const Diagnostics& diagnostics) {
  ExitCode code = kOk;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity() != Severity::kError) continue;
    code = std::max(code, ExitCodeOfOne(diagnostic.code));
  }
  return code;
}

}  // namespace march::cli
