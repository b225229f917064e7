#include "compiler/yaml/quote.h"

#include "compiler/yaml/text_check.h"

namespace march::yaml {
namespace {

void AppendByte(unsigned char byte, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (byte) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xF];
  }
}

}  // namespace

std::string Quoted(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (i >= limit) {
      out += "...";
      break;
    }
    const std::size_t length = PrintableAt(text, i);
    if (length == 0) {
      AppendByte(static_cast<unsigned char>(text[i]), out);
      ++i;
      continue;
    }
    if (text[i] == '"' || text[i] == '\\') out += '\\';
    out += text.substr(i, length);
    i += length;
  }
  return out + "\"";
}

}  // namespace march::yaml
