#include "bench/common/fail.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/print.h"

namespace march::bench {

void Fail(const std::string& what) {
  const int error = errno;
  FailWith("cannot " + what + ": " + std::strerror(error));
}

void FailWith(const std::string& message) {
  std::cerr << program_invocation_short_name << ": " << message << std::endl;
  std::exit(1);
}

void FailWith(const Diagnostics& diagnostics) {
  PrintText(diagnostics, std::cerr);
  std::exit(1);
}

}  // namespace march::bench
