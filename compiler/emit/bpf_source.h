// From tables to the C program that walks them in the kernel. The program is meant to be read: it
// states the policy it enforces and names its mappings; its size does not grow with the policy.
#pragma once

#include <string>

#include "base/outcome.h"
#include "compiler/classify/tables.h"
#include "compiler/ruleset/ruleset.h"

namespace march::emit {

struct BpfSource {
  std::string text;  // one translation unit; its includes are bpf-templates' embedded headers
};

// At most this many mappings are named in the program's comment.
inline constexpr std::size_t kNamedMappings = 256;

BpfSource EmitBpf(const ruleset::RuleSet& rules, const classify::Tables& tables);

}  // namespace march::emit
