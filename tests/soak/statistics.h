// What the gateway has counted of its connections since it started.
#pragma once

#include <cstdint>
#include <string>

namespace march::soak {

struct FlowStatistics {
  std::uint64_t opened = 0;
  std::uint64_t forbidden = 0;  // ended by a later policy
  std::uint64_t evicted = 0;    // new ones, for want of room
  std::uint64_t no_room = 0;    // not moved among the established ones
};

// Error: std::runtime_error.
FlowStatistics ReadStatistics(const std::string& target);

}  // namespace march::soak
