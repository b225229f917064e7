#include "compiler/space/address.h"

#include <arpa/inet.h>

#include <array>
#include <string>

namespace march::space {

std::optional<Address> Address::Parse(std::string_view text) {
  // inet_pton takes exactly the two strict forms, and wants a terminated string.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string terminated(text);
  std::array<std::uint8_t, 16> bytes{};
  Family family = Family::kV4;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) != 1) {
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) return std::nullopt;
    family = Family::kV6;
  }
  Uint128 value = 0;
  for (unsigned i = 0; i < BitsOf(family) / 8; ++i) value = (value << 8) | bytes.at(i);
  return Address{family, value};
}

std::string Address::ToString() const {
  std::array<std::uint8_t, 16> bytes{};
  const unsigned size = BitsOf(family) / 8;
  for (unsigned i = 0; i < size; ++i) {
    bytes.at(i) = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == Family::kV4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

Prefix Prefix::Of(Address address, unsigned length) {
  const unsigned host_bits = BitsOf(address.family) - length;
  if (host_bits >= 128) {
    address.value = 0;
  } else {
    address.value = (address.value >> host_bits) << host_bits;
  }
  return {address, length};
}

Uint128 Prefix::Last() const {
  const unsigned host_bits = BitsOf(address.family) - length;
  return host_bits >= 128 ? ~Uint128{0} : address.value | ((Uint128{1} << host_bits) - 1);
}

std::string Prefix::ToString() const {
  std::string text = address.ToString();
  if (length != BitsOf(address.family)) text += "/" + std::to_string(length);
  return text;
}

}  // namespace march::space
