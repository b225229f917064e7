// Who has which CPU, and who has it first, while something is measured.
#pragma once

#include <sched.h>

namespace march::bench {

// The calling thread stays on one CPU as long as this lives; where there is no such CPU, anywhere.
class OnCpu {
 public:
  explicit OnCpu(unsigned cpu);
  ~OnCpu();
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  cpu_set_t before_;
};

// Ranks of threads that run before all others, the higher before the lower.
inline constexpr int kUrgent = 1;

// Where the kernel will not (control groups can be without real-time), others' work counts in what
// is measured.
void MakeUrgent(int thread, int rank);

// The calling thread is urgent as long as this lives; what it starts is not.
class Urgently {
 public:
  explicit Urgently(int rank) { MakeUrgent(0, rank); }
  ~Urgently();
  Urgently(const Urgently&) = delete;
  Urgently& operator=(const Urgently&) = delete;
};

}  // namespace march::bench
