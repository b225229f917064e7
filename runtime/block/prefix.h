// IP prefixes as the block list has them (RFC 4632, RFC 4291).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/outcome.h"

namespace march::block {

// The addresses that share the first `length` bits; the others are zero. In host order, an IPv4
// address is `lo`.
struct Prefix {
  std::uint8_t family = 4;  // or 6
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  std::uint8_t length = 0;

  // An address is a prefix of full length.
  std::string ToString() const;
  bool Holds(const Prefix& other) const;

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

// "192.0.2.0/24", "2001:db8::/32", or an address; strict, as in a policy. Errors, without a place:
// kBadBlock.
Outcome<Prefix> ParsePrefix(std::string_view text);

}  // namespace march::block
