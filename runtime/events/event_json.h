// An event in words that its readers share: names for slots, text for addresses.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "bundle/abi/event.h"
#include "bundle/mappings.h"
#include "runtime/flows/flow_table.h"

namespace march::events {

// How far the wall clock is ahead of the one that events have their times from.
std::chrono::nanoseconds ClockOffset();

// "2026-01-31T12:00:00.000123Z"; nanoseconds since 1970.
std::string TimeText(std::chrono::nanoseconds time);

// What an event's numbers stand for; what is not known any more is "".
struct Names {
  std::string mapping;  // that its slot counts
  std::string place;    // of the mapping
  std::string interface;
};
// `table` is its generation's, null if it is not known.
Names NamesOf(std::uint32_t slot, const bundle::MappingTable* table, std::string interface);

// What an event does not have is left out.
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
nlohmann::ordered_json EventJson(const march_event& event, const Names& names,
                                 std::chrono::nanoseconds offset);

// The record of a connection that has ended, likewise. From `reason` to `fragment` as above, with
// the opener as the source; and
//   time, begun      of its last packet and its first, to a third of a second
//   verdict          "allow"
//   ending           "timeout", "finished", "reset", "cut", "forbidden"
//   duration_s       from the first to the last packet
//   packets, bytes, reply_packets, reply_bytes
nlohmann::ordered_json FlowJson(const flows::FlowRecord& record, const Names& names);

}  // namespace march::events
