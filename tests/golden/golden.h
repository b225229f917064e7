// Text held against files. With MARCH_UPDATE_GOLDENS=1 in the environment the files are rewritten
// instead; what changed is then for a reviewer to judge. Paths are relative to the source tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace march::golden {

// Fails the running Catch2 test, with the first line that differs, unless the file holds `actual`.
void CheckGolden(const std::string& path, std::string_view actual);

// The names in a directory, sorted, without the `.expected` files.
std::vector<std::string> Inputs(const std::string& directory);

// A whole file; fails the running test if it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace march::golden
