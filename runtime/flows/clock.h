// The clock of flows, as the programs read it: ticks since the machine started, suspension not
// counted (bundle/abi/flow.h).
#pragma once

#include <chrono>
#include <cstdint>

#include "bundle/abi/flow.h"

namespace march::flows {

using Tick = std::uint32_t;

Tick CurrentTick();

// Between two moments, or of a timeout.
constexpr std::chrono::milliseconds DurationOf(Tick ticks) {
  return std::chrono::milliseconds((std::uint64_t{ticks} << MARCH_TICK_SHIFT) / 1'000'000);
}

// How long ago a moment was, or 0 if it is to come.
constexpr std::chrono::milliseconds Since(Tick then, Tick now) {
  return now > then ? DurationOf(now - then) : std::chrono::milliseconds(0);
}

// A moment by the wall clock, to about a third of a second.
std::chrono::system_clock::time_point WallTimeOf(Tick tick);

}  // namespace march::flows
