// Compiles the generated C to a BPF object (c_compiler.h) and links it with what it calls
// (parts.h). The only folder that includes clang and LLVM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/outcome.h"
#include "compiler/emit/bpf_source.h"

namespace march::clang {

struct BpfObject {
  std::string bytes;                 // ELF with BTF, without DWARF
  std::size_t instructions = 0;      // of all programs in it, 8 bytes each
  std::size_t longest_function = 0;  // instructions
  // Of the functions that are at most called at once, each rounded up as the verifier does.
  std::uint32_t stack_bytes = 0;
};

// Equal sources give equal bytes, on any machine. Error: kClangFailed, with clang's own words; it
// means a defect of ours, never of the policy.
Outcome<BpfObject> CompileBpf(const emit::BpfSource& source);

// For `--until object --dump`: sections with their sizes, and the instruction count.
std::string Dump(const BpfObject& object);

}  // namespace march::clang
