// Words of a policy inside messages and dumps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace march::yaml {

inline constexpr std::size_t kQuoteLimit = 80;

// `text` in double quotes. Whoever wrote it, it is one line of valid UTF-8 afterwards: control
// characters, quotes and backslashes are escaped, invalid bytes too. Cut with "..." after `limit`
// bytes.
std::string Quoted(std::string_view text, std::size_t limit = kQuoteLimit);

}  // namespace march::yaml
