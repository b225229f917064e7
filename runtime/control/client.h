// The other end of the control API, for marchctl.
#pragma once

#include <functional>
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

// Gets `path` and hands over the answer line by line, without line breaks, as it comes, until the
// answer ends or `take` returns false. With another status than 200 the body is in the reply, and
// `take` is not called. Errors as above, and 60 seconds without a byte.
Outcome<Reply> Follow(const std::string& target, const std::string& path,
                      const std::function<bool(std::string_view line)>& take);

}  // namespace march::control
