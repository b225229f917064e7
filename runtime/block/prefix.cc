#include "runtime/block/prefix.h"

#include <arpa/inet.h>

#include <array>

#include "base/number.h"

namespace march::block {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr unsigned BitsOf(unsigned family) {
  return family == 4 ? 32 : 128;
}

std::uint64_t ReadBytes(const Bytes& bytes, std::size_t first, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = first; i < first + count; ++i) value = value << 8 | bytes.at(i);
  return value;
}

std::optional<Prefix> ParseAddress(std::string_view text) {
  // inet_pton takes exactly the strict forms, and wants a terminated string.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  text.copy(terminated.data(), text.size());
  Bytes bytes{};
  if (inet_pton(AF_INET, terminated.data(), bytes.data()) == 1) {
    return Prefix{4, 0, ReadBytes(bytes, 0, 4), 32};
  }
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  return Prefix{6, ReadBytes(bytes, 0, 8), ReadBytes(bytes, 8, 8), 128};
}

// With the bits behind the first `length` of 64 cleared.
std::uint64_t Keep(std::uint64_t value, unsigned length) {
  if (length >= 64) return value;
  return length == 0 ? 0 : value >> (64 - length) << (64 - length);
}

Prefix Shorten(const Prefix& prefix, unsigned length) {
  Prefix shorter = prefix;
  shorter.length = static_cast<std::uint8_t>(length);
  if (prefix.family == 4) {
    shorter.lo = Keep(prefix.lo << 32, length) >> 32;
  } else {
    shorter.hi = Keep(prefix.hi, length);
    shorter.lo = Keep(prefix.lo, length < 64 ? 0 : length - 64);
  }
  return shorter;
}

Diagnostic Bad(const std::string& message, std::string hint = {}) {
  return MakeDiagnostic(Code::kBadBlock, {}, message, std::move(hint));
}

}  // namespace

std::string Prefix::ToString() const {
  Bytes bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    const auto shift = 56 - 8 * i;
    if (family == 6) {
      bytes.at(i) = static_cast<std::uint8_t>(hi >> shift);
      bytes.at(i + 8) = static_cast<std::uint8_t>(lo >> shift);
    } else if (i < 4) {
      bytes.at(i) = static_cast<std::uint8_t>(lo >> (24 - 8 * i));
    }
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return length == BitsOf(family) ? text.data() : text.data() + ("/" + std::to_string(length));
}

bool Prefix::Holds(const Prefix& other) const {
  if (family != other.family || length > other.length) return false;
  const Prefix shorter = Shorten(other, length);
  return shorter.hi == hi && shorter.lo == lo;
}

Outcome<Prefix> ParsePrefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = ParseAddress(text.substr(0, slash));
  if (!address) {
    return Bad("\"" + std::string(text) + "\" is no IP address or prefix",
               "write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32");
  }
  if (slash == std::string_view::npos) return *address;
  const std::string_view digits = text.substr(slash + 1);
  const auto length = ReadNumber<unsigned>(digits);
  if (digits.size() > 3 || (digits.size() > 1 && digits.front() == '0') || !length ||
      *length > BitsOf(address->family)) {
    return Bad("\"" + std::string(text) + "\" has no possible length",
               "a length is from 0 to " + std::to_string(BitsOf(address->family)));
  }
  const Prefix prefix = Shorten(*address, *length);
  if (prefix.hi != address->hi || prefix.lo != address->lo) {
    return Bad("\"" + std::string(text) + "\" has bits set behind its length",
               "the prefix is " + prefix.ToString());
  }
  return prefix;
}

}  // namespace march::block
