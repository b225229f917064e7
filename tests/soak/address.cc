#include "tests/soak/address.h"

#include <array>
#include <cstdio>

namespace march::soak {

std::uint64_t AddressOf(const Place& place) {
  return std::uint64_t{place.is_v6 ? 6U : 4U} << 24 | place.side << 16 | place.network << 8 |
         place.host;
}

Place PlaceOf(std::uint64_t address) {
  const auto bits = static_cast<std::uint32_t>(address);
  return {bits >> 24 == 6, bits >> 16 & 0xFF, bits >> 8 & 0xFF, bits & 0xFF};
}

std::string TextOf(const Place& place) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), place.is_v6 ? "2001:db8:%x:%x::%x" : "10.%u.%u.%u",
                place.side, place.network, place.host);
  return text.data();
}

}  // namespace march::soak
