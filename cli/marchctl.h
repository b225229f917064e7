// marchctl without a process around it: what main runs, and tests too.
#pragma once

#include <string>
#include <vector>

#include "cli/environment.h"

namespace march::cli {

// `arguments` without the program's name. Returns the exit code.
int RunMarchctl(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace march::cli
