// What a flow has counted: the programs keep it in two parts (bundle/abi/flow.h).
#pragma once

#include <cstdint>

#include "bundle/abi/flow.h"

namespace march::flows {

// In one direction: MARCH_FLOW_FORWARD or MARCH_FLOW_REPLY. Bytes are those of whole frames.
struct Counts {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  bool operator==(const Counts&) const = default;
};

inline Counts operator+(const Counts& one, const Counts& other) {
  return {one.packets + other.packets, one.bytes + other.bytes};
}

inline Counts CountsOf(const march_flow& flow, unsigned direction) {
  return {MARCH_FLOW_PACKETS(flow, direction), MARCH_FLOW_BYTES(flow, direction)};
}

inline Counts CountsOf(const march_flow& flow) {
  return CountsOf(flow, MARCH_FLOW_FORWARD) + CountsOf(flow, MARCH_FLOW_REPLY);
}

// In the words of the control API and of events.
template <class Json>
void PutCounts(const march_flow& flow, Json& json) {
  const Counts forward = CountsOf(flow, MARCH_FLOW_FORWARD);
  const Counts reply = CountsOf(flow, MARCH_FLOW_REPLY);
  json["packets"] = forward.packets;
  json["bytes"] = forward.bytes;
  json["reply_packets"] = reply.packets;
  json["reply_bytes"] = reply.bytes;
}

// As the programs would have counted it.
inline void SetCounts(march_flow& flow, unsigned direction, const Counts& counts) {
  flow.packets[direction] = static_cast<std::uint16_t>(counts.packets);
  flow.carried_packets[direction] = counts.packets >> 16;
  flow.bytes[direction] = static_cast<std::uint32_t>(counts.bytes);
  flow.carried_bytes[direction] = counts.bytes >> 32;
}

}  // namespace march::flows
