// Links BPF objects into one, by libbpf's static linker: sections, BTF and its line information are
// joined, and what one object refers to and another defines becomes one. The only folder beside
// runtime/bpf that includes libbpf: docs/adr/0009-parts-are-compiled-once.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"

namespace march::link {

// The first of `objects` decides which comes first in the result; equal objects in equal order give
// equal bytes: libbpf is linked statically, so on any machine. Nothing is read or written but
// memory, or, where there is no /proc, files of its own for temporary use. Error: kClangFailed,
// with libbpf's own words; it means a defect of ours.
Outcome<std::string> LinkObjects(const std::vector<std::string_view>& objects);

}  // namespace march::link
