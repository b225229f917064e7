#include "runtime/flows/clock.h"

#include <ctime>

namespace march::flows {

Tick CurrentTick() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto nanoseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                           static_cast<std::uint64_t>(now.tv_nsec);
  return static_cast<Tick>(nanoseconds >> MARCH_TICK_SHIFT);
}

std::chrono::system_clock::time_point WallTimeOf(Tick tick) {
  return std::chrono::system_clock::now() - Since(tick, CurrentTick());
}

}  // namespace march::flows
