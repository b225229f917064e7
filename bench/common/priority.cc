#include "bench/common/priority.h"

#include <sched.h>

namespace march::bench {

void MakeUrgent(int thread, int rank) {
  const sched_param priority{rank};
  ::sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
}

Urgently::~Urgently() {
  const sched_param none{0};
  ::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

}  // namespace march::bench
