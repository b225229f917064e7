// Names of ICMP and ICMPv6 message types (IANA registries; RFC 792, 4443, 4861, 2710, 3810), as nft
// spells them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace march::space {

// `protocol` is kIcmp or kIcmpv6.
std::optional<std::uint8_t> ParseIcmpType(std::string_view name, std::uint8_t protocol);
// The name, or the number.
std::string IcmpTypeName(std::uint8_t protocol, std::uint8_t type);
// Of both protocols, for suggestions.
const std::vector<std::string_view>& IcmpTypeNames();

}  // namespace march::space
