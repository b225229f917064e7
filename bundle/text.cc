#include "bundle/text.h"

#include <cstdint>

namespace march::bundle {
namespace {

constexpr std::size_t kMaxQuoted = 300;

// The number of bytes of the character that begins with `lead`, and its bits in that byte.
struct Lead {
  std::size_t length;
  std::uint32_t bits;
};

Lead ReadLead(unsigned char lead) {
  if (lead < 0x80) return {1, lead};
  if ((lead & 0xE0) == 0xC0) return {2, lead & 0x1FU};
  if ((lead & 0xF0) == 0xE0) return {3, lead & 0x0FU};
  if ((lead & 0xF8) == 0xF0) return {4, lead & 0x07U};
  return {0, 0};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  while (!text.empty()) {
    const auto [length, bits] = ReadLead(static_cast<unsigned char>(text[0]));
    if (length == 0 || length > text.size()) return false;
    std::uint32_t point = bits;
    for (const char c : text.substr(1, length - 1)) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xC0) != 0x80) return false;
      point = point << 6 | (byte & 0x3FU);
    }
    if (point < kSmallest[length] || point > 0x10FFFF) return false;
    if (point >= 0xD800 && point <= 0xDFFF) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      quoted += c;
    } else {
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  if (text.size() > kMaxQuoted) quoted += "...";
  return quoted + "\"";
}

Diagnostic Malformed(std::string message) {
  return MakeDiagnostic(Code::kBundleMalformed, {}, std::move(message));
}

}  // namespace march::bundle
