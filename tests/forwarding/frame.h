// Frames by their bytes, put together and taken apart by other code than the program's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace march::tests {

using Bytes = std::vector<std::uint8_t>;

// "45 00 0028": hexadecimal digits, blanks ignored.
Bytes Hex(const std::string& digits);
std::string ToHex(const Bytes& bytes);
Bytes operator+(Bytes one, const Bytes& other);

// The sum of RFC 1071, with the checksum's own place as zero.
std::uint16_t Checksum(const Bytes& bytes);

// Where IP begins behind the tags of a frame.
std::size_t IpAt(const Bytes& frame);

// A frame with these headers, and lengths and checksums right: of IP, and of TCP, UDP, ICMP and
// ICMPv6 over what follows. `ip` is a whole IPv4 or IPv6 header with zeros for them, `layer_four`
// too. No tags.
Bytes Whole(const Bytes& ethernet, const Bytes& ip, const Bytes& layer_four);

// Recomputes the checksum of an IPv4 header.
void FixHeader(Bytes& frame);

// What is wrong with the checksums of a frame and the lengths that it states, or "".
std::string Faults(const Bytes& frame);

}  // namespace march::tests
