#include "compiler/yaml/text_check.h"

#include <cstdint>
#include <string>

namespace march::yaml {
namespace {

unsigned char ByteAt(std::string_view text, std::size_t offset) {
  return static_cast<unsigned char>(text[offset]);
}

bool IsControl(std::string_view text, std::size_t offset, std::size_t length) {
  const unsigned char lead = ByteAt(text, offset);
  if (length == 1) return lead < 0x20 || lead == 0x7F;
  return lead == 0xC2 && ByteAt(text, offset + 1) < 0xA0;
}

// `value` in so many hexadecimal digits.
std::string Hex(unsigned value, unsigned digits) {
  std::string text;
  for (unsigned shift = 4 * digits; shift > 0; shift -= 4) {
    text += "0123456789ABCDEF"[(value >> (shift - 4)) & 0xF];
  }
  return text;
}

Diagnostic ControlFault(SourceRange range, unsigned char byte) {
  if (byte == '\r') {
    return MakeDiagnostic(Code::kYamlSyntax, range, "a carriage return without a line feed",
                          "end lines with LF or CR LF");
  }
  if (byte == 0) {
    return MakeDiagnostic(Code::kYamlSyntax, range, "a NUL byte in the text",
                          "save the file as UTF-8 text");
  }
  return MakeDiagnostic(Code::kYamlSyntax, range,
                        "the control character U+" + Hex(byte, 4) + " in the text",
                        "remove it, or write it as an escape in double quotes");
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::size_t Utf8LengthAt(std::string_view text, std::size_t offset) {
  const unsigned char lead = ByteAt(text, offset);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - offset < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((ByteAt(text, offset + i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = ByteAt(text, offset + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  const bool beyond = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

std::size_t PrintableAt(std::string_view text, std::size_t offset) {
  const std::size_t length = Utf8LengthAt(text, offset);
  return length == 0 || IsControl(text, offset, length) ? 0 : length;
}

std::optional<Diagnostic> CheckText(const Source& source) {
  const std::string_view text = source.text();
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned char byte = ByteAt(text, i);
    if ((byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\t') {
      ++i;
      continue;
    }
    if (byte == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      i += 2;
      continue;
    }
    const std::size_t length = Utf8LengthAt(text, i);
    const SourceRange range{&source, static_cast<std::uint32_t>(i),
                            static_cast<std::uint32_t>(i + (length == 0 ? 1 : length))};
    if (length == 0) {
      return MakeDiagnostic(Code::kYamlNotUtf8, range,
                            "the byte 0x" + Hex(byte, 2) + " is not part of UTF-8 text",
                            "save the file as UTF-8");
    }
    // NEL (U+0085) is the one C1 character that YAML allows.
    const bool nel = length == 2 && byte == 0xC2 && ByteAt(text, i + 1) == 0x85;
    if (IsControl(text, i, length) && !nel) {
      return ControlFault(range, length == 1 ? byte : ByteAt(text, i + 1));
    }
    if (i > 0 && text.substr(i, length) == kByteOrderMark) {
      return MakeDiagnostic(Code::kYamlSyntax, range, "a byte order mark inside the text",
                            "remove it: nobody can see it, and not everybody reads past it");
    }
    i += length;
  }
  return std::nullopt;
}

std::size_t TextBegin(const Source& source) {
  return source.text().starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
}

}  // namespace march::yaml
