// Ends the program with a message: this is a tool, and half a measurement is none.
#pragma once

#include <string>

#include "base/diagnostic.h"

namespace march::bench {

// "PROGRAM: cannot WHAT: REASON"; the reason is errno's.
[[noreturn]] void Fail(const std::string& what);
[[noreturn]] void FailWith(const std::string& message);
[[noreturn]] void FailWith(const Diagnostics& diagnostics);

}  // namespace march::bench
