// The rules as march-bench-acl reads them from a file: as many of these as the file has room for,
// in order of precedence.
#pragma once

#include <cstdint>

namespace march::bench {

struct AclRule {
  std::uint8_t source[16];       // in the byte order of the wire; IPv4 in the first four
  std::uint8_t destination[16];  // likewise
  std::uint16_t first_port;
  std::uint16_t last_port;
  std::uint8_t source_length;
  std::uint8_t destination_length;
  std::uint8_t protocol;
  std::uint8_t allow;
};

}  // namespace march::bench
