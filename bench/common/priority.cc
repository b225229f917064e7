#include "bench/common/priority.h"

namespace march::bench {

OnCpu::OnCpu(unsigned cpu) {
  ::sched_getaffinity(0, sizeof(before_), &before_);
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  ::sched_setaffinity(0, sizeof(cpus), &cpus);
}

OnCpu::~OnCpu() {
  ::sched_setaffinity(0, sizeof(before_), &before_);
}

void MakeUrgent(int thread, int rank) {
  const sched_param priority{rank};
  ::sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
}

Urgently::~Urgently() {
  const sched_param none{0};
  ::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

}  // namespace march::bench
