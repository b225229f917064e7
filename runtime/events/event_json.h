// An event in words that its readers share: names for slots, text for addresses.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "bundle/abi/event.h"
#include "bundle/mappings.h"

namespace march::events {

// How far the wall clock is ahead of the one that events have their times from.
std::chrono::nanoseconds ClockOffset();

// "2026-01-31T12:00:00.000123Z"; nanoseconds since 1970.
std::string TimeText(std::chrono::nanoseconds time);

// `names` are its generation's, null if they are not known. What an event does not have is left
// out.
//   type             "drop", "allow"
//   time             UTC
//   generation
//   reason           "mapping", or the name of its slot: "default", "truncated", ...
//   mapping, place   of the mapping that decided; `slot` instead, if its name is not known
//   interface        that the packet came in by; its index if it has no name any more
//   protocol         "tcp", "udp", "sctp", "icmp", "icmpv6" or a number, as text
//   source, source_port, destination, destination_port
//   icmp_type, icmp_code
//   fragment         true: a later fragment
//   tcp_flags        "SA"
//   bytes            of the frame
//   untold           so many of its kind on this CPU were not told of since the one before
//   cpu
nlohmann::ordered_json EventJson(const march_event& event, const bundle::MappingTable* names,
                                 std::string_view interface, std::chrono::nanoseconds offset);

// The fields from `protocol` to `fragment` of whatever has both ends and a key of layer 4.
struct Ends {
  std::uint32_t family;  // 4 or 6; 0: none were read
  std::uint64_t src_hi;
  std::uint64_t src_lo;
  std::uint64_t dst_hi;
  std::uint64_t dst_lo;
  std::uint32_t source_port;
};
void AddEnds(nlohmann::ordered_json& json, const Ends& ends, bool has_l4, std::uint32_t l4);

// `reason`, and with it `mapping` and `place`.
void AddReason(nlohmann::ordered_json& json, std::uint32_t slot, const bundle::MappingTable* names);

}  // namespace march::events
