// Compiles C to a BPF object, with clang linked in: no compiler program, no header and no file is
// needed or read, only the headers of bpf-templates, which are in the program.
#pragma once

#include <string>

#include "base/outcome.h"

namespace march::clang {

// An ELF object with BTF and without DWARF. `name` is what BTF calls the source, as "policy.c".
// Equal sources give equal bytes, on any machine. Error: kClangFailed, with clang's own words.
Outcome<std::string> CompileC(const std::string& name, const std::string& text);

}  // namespace march::clang
