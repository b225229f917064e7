// CPU time: what wall time would be if nobody else had the CPU.
#pragma once

#include <ctime>

namespace march::bench {

// Of the calling thread, in the kernel and outside.
inline double ThreadCpuNanoseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace march::bench
