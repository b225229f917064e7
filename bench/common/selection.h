// Names on the command line.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/space/address.h"

namespace march::bench {

// "all" selects everything.
inline bool Selected(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return one == "all" || one == name; });
}

inline space::Family FamilyOf(std::string_view name) {
  return name == "v4" ? space::Family::kV4 : space::Family::kV6;
}

}  // namespace march::bench
