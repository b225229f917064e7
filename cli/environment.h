// What a verb may touch: given by main, replaced by tests.
#pragma once

#include <istream>
#include <ostream>

#include "base/file_system.h"

namespace march::cli {

struct Environment {
  FileSystem& files;
  std::istream& in;
  std::ostream& out;  // data
  std::ostream& err;  // messages
  bool color_errors = false;
  bool is_terminal = false;  // `in` and `out` are one
};

}  // namespace march::cli
