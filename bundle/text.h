// Words about bundles that nobody has vouched for: their bytes may be anything.
#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace march::bundle {

// Whether the bytes are UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates.
bool IsUtf8(std::string_view text);

// The text in double quotes, fit for a terminal: bytes outside printable ASCII become \xNN, and a
// long text is cut.
std::string Quoted(std::string_view text);

// A kBundleMalformed.
Diagnostic Malformed(std::string message);

}  // namespace march::bundle
