// The query of a request's target: "/v1/flows?source=10.0.0.0%2F8&limit=5".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/control/http1.h"

namespace march::control {

// By name, percent-decoded (RFC 3986, section 2.1); a plus sign is a plus sign. Refuses what is no
// NAME=VALUE, a name given twice and a broken escape, with status 400.
using Query = std::map<std::string, std::string, std::less<>>;
std::variant<Query, Refusal> ParseQuery(std::string_view target);

}  // namespace march::control
