// IP addresses and prefixes as numbers (RFC 791, RFC 4291; text forms per RFC 5952).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace march::space {

__extension__ using Uint128 = unsigned __int128;

enum class Family : std::uint8_t { kV4 = 4, kV6 = 6 };

constexpr unsigned BitsOf(Family family) {
  return family == Family::kV4 ? 32 : 128;
}

// The highest address of a family.
constexpr Uint128 LastOf(Family family) {
  return family == Family::kV4 ? Uint128{0xFFFFFFFF} : ~Uint128{0};
}

// An address in host order; an IPv4 address uses the low 32 bits.
struct Address {
  Family family = Family::kV4;
  Uint128 value = 0;

  // Dotted decimal with four parts and no leading zeros, or RFC 4291 text without a zone.
  static std::optional<Address> Parse(std::string_view text);
  std::string ToString() const;

  friend bool operator==(const Address&, const Address&) = default;
};

// The addresses that share the first `length` bits of `address`; its host bits are zero.
struct Prefix {
  Address address;
  unsigned length = 0;

  // Keeps the first `length` bits only.
  static Prefix Of(Address address, unsigned length);

  Uint128 First() const { return address.value; }
  Uint128 Last() const;
  // "10.0.0.0/8"; a single address without its length.
  std::string ToString() const;

  friend bool operator==(const Prefix&, const Prefix&) = default;
};

}  // namespace march::space
