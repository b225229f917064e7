// Letters of ASCII, whatever the locale.
#pragma once

namespace march {

constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace march
