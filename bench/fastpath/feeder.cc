#include "bench/fastpath/feeder.h"

#include <linux/bpf.h>

#include "bench/common/frame.h"

namespace march::bench {

Feeder::Feeder(space::Family family, const std::vector<tests::Packet>& trace)
    : object_("fastpath/bpf/feeder.bpf.c"),
      trace_(object_, family, trace),
      run_(object_, "bench_feed", FrameOfOneSize(family)) {}

void Feeder::Install(int program) {
  run_.Install(program);
  trace_.Write(trace_.StateAt(0));
}

double Feeder::Measure(int program, std::uint32_t packets) {
  Install(program);
  return run_.Measure(packets);
}

std::vector<bool> Feeder::Verdicts(int program, std::size_t count) {
  Install(program);
  std::vector<bool> passed(count);
  for (std::size_t i = 0; i < count; ++i) passed[i] = run_.Run(1) == XDP_PASS;
  return passed;
}

}  // namespace march::bench
