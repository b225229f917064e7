// Files that the program carries: the schemas ("schemas/policy.schema.json") and the policy
// repository that `init` writes ("init/policy/policy.yaml").
#pragma once

#include <string_view>
#include <vector>

namespace march::cli {

struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

const std::vector<EmbeddedFile>& EmbeddedFiles();

}  // namespace march::cli
