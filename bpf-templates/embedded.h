// The headers that generated programs include, as text: compiling a policy needs no file of ours or
// the kernel's on the machine.
#pragma once

#include <string_view>
#include <vector>

namespace march::bpf_templates {

struct EmbeddedHeader {
  std::string_view name;  // as it is included: "common/walk.h"
  std::string_view text;
};

const std::vector<EmbeddedHeader>& EmbeddedHeaders();

}  // namespace march::bpf_templates
