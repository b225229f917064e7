// Diagnostics and tables as verbs print them.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cli/environment.h"
#include "cli/exit_code.h"

namespace march::cli {

// Prints to stderr and gives the exit code.
ExitCode Report(Environment& environment, const Diagnostics& diagnostics);

// Columns padded to their widest cell, two spaces between them; numbers (cells of digits) to the
// right. The first row is the heading.
std::string AlignColumns(const std::vector<std::vector<std::string>>& rows);

}  // namespace march::cli
