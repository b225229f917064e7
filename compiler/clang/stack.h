// How much stack the functions of a BPF object use, as the kernel's verifier counts it: along each
// chain of calls, every function rounded up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace march::clang {

struct FunctionFigures {
  std::size_t longest = 0;        // instructions of one function, 8 bytes each
  std::uint32_t stack_bytes = 0;  // of the functions that are at most called at once
};

FunctionFigures MeasureFunctions(std::string_view object);

}  // namespace march::clang
