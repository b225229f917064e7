// XML 1.0 text. Characters that XML cannot carry become U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace march::cli {

std::string XmlText(std::string_view text);
// In its quotes.
std::string XmlAttribute(std::string_view text);

}  // namespace march::cli
