// What packets are about.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/stateful/flows.h"

namespace march::bench {

// What is asked of whoever judges the packets.
enum class Task { kConnections, kFlood, kLimit, kBlock };

struct TrafficKind {
  std::string_view name;
  std::string_view description;
  Task task;
  PacketKind packet;
  bool opened = false;  // connections are made first, then packets of them are mixed
  bool fresh = false;   // every packet is of a connection never seen before
  // Of the packets, a share that has to pass; what a limit lets through is in between.
  double least_share = 1;
  double most_share = 1;
};

const std::vector<TrafficKind>& TrafficKinds();

// Packets a second that pass, and packets that pass at once.
struct Limit {
  std::uint64_t rate;
  std::uint64_t burst;
};

// Of a source: none of our senders reaches the first, each exceeds the second at once.
inline constexpr Limit kHighLimit = {100'000, 10'000};
inline constexpr Limit kLowLimit = {10, 5};

}  // namespace march::bench
