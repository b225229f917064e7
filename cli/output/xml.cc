#include "cli/output/xml.h"

namespace march::cli {

std::string XmlText(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\n':
      case '\t':
        escaped += c == '\n' ? "&#10;" : "&#9;";
        break;
      default:
        escaped +=
            static_cast<unsigned char>(c) < 0x20 ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    }
  }
  return escaped;
}

std::string XmlAttribute(std::string_view text) {
  return "\"" + XmlText(text) + "\"";
}

}  // namespace march::cli
