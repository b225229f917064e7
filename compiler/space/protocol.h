// IP protocol numbers (IANA) and their names in the policy language.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace march::space {

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmpv6 = 58;
inline constexpr std::uint8_t kSctp = 132;

constexpr bool HasPorts(std::uint8_t protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kSctp;
}

constexpr bool IsIcmp(std::uint8_t protocol) {
  return protocol == kIcmp || protocol == kIcmpv6;
}

// The type of an echo request; `protocol` is ICMP or ICMPv6.
constexpr std::uint8_t EchoRequest(std::uint8_t protocol) {
  return protocol == kIcmp ? 8 : 128;
}

// Whether an IPv6 packet with this next header goes on to another one (RFC 8200, RFC 4302): such a
// number is never the protocol of an IPv6 packet.
constexpr bool IsExtensionHeader(std::uint8_t protocol) {
  return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60;
}

// A name of the language or a decimal number from 0 to 255.
std::optional<std::uint8_t> ParseProtocol(std::string_view text);
// The name, or the number.
std::string ProtocolName(std::uint8_t protocol);
// "tcp", "udp", ... for suggestions.
const std::vector<std::string_view>& ProtocolNames();

// Decimal digits only, at most `limit`; no sign, no space, no leading zero.
std::optional<std::uint32_t> ParseNumber(std::string_view text, std::uint32_t limit);

}  // namespace march::space
