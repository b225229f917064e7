// The other end of the control API, for marchctl.
#pragma once

#include <string>
#include <string_view>

#include "base/outcome.h"

namespace march::control {

struct Reply {
  int status = 0;
  std::string body;
};

// One request to `target`, "unix:/run/march/control.sock". Any HTTP status is a success here; what
// is not is kTargetUnreachable: no socket, nobody behind it, no permission, 5 seconds without a
// connection or 120 without an answer.
Outcome<Reply> Request(const std::string& target, const std::string& method,
                       const std::string& path, std::string_view body);

}  // namespace march::control
