// A flow: what the policy judges, written `PROTO SRC[:SPORT] > DST[:DPORT]`, IPv6 in brackets when
// a port follows.
#pragma once

#include <cstdint>
#include <string>

#include "base/outcome.h"
#include "compiler/space/address.h"

namespace march::space {

struct Flow {
  std::uint8_t protocol = 0;
  Address source;
  Address destination;                 // of the same family
  std::uint16_t source_port = 0;       // 0 for protocols without ports
  std::uint16_t destination_port = 0;  // 0 for protocols without ports
  std::uint8_t icmp_type = 0;          // of ICMP and ICMPv6
  std::uint8_t icmp_code = 0;
  bool later_fragment = false;  // all of these are in another packet

  // What the policy compares with ports: the destination port, or type and code of ICMP as in
  // MARCH_ICMP_PORT; 0 for other protocols.
  std::uint16_t Detail() const;
  void SetDetail(std::uint16_t detail);

  // "udp [2001:db8::1]:5353 > [2001:db8::2]:53", "icmp 10.0.0.1 > 10.0.0.2 type 3/4"; the type of
  // an echo request is left out.
  std::string ToString() const;

  friend bool operator==(const Flow&, const Flow&) = default;
};

// A missing source port is kAnySourcePort; a missing destination port is an error for protocols
// that have them. `type N` or `type N/M` is for ICMP, without it an echo request; a trailing word
// `fragment` makes it a later fragment, which has neither. Error: kBadFlow, with the place in
// `text`, whose name is shown.
Outcome<Flow> ParseFlow(const Source& text);

inline constexpr std::uint16_t kAnySourcePort = 40000;

}  // namespace march::space
