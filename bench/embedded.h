// The BPF programs of bench/, as text; their names are paths below it.
#pragma once

#include <string_view>
#include <vector>

namespace march::bench {

struct EmbeddedProgram {
  std::string_view name;
  std::string_view text;
};

const std::vector<EmbeddedProgram>& EmbeddedPrograms();

}  // namespace march::bench
