#include "bench/stateful/cost/flow_feeder.h"

#include <algorithm>

#include "bench/common/frame.h"

namespace march::bench {

FlowFeeder::FlowFeeder(const FlowSpace& space)
    : object_("stateful/bpf/flow_feeder.bpf.c"),
      flows_(object_, space),
      run_(object_, "bench_feed", FrameOfOneSize(space.family)) {}

void FlowFeeder::Open(int program, std::uint32_t protocol, std::uint64_t count) {
  run_.Install(program);
  for (std::uint64_t first = 0; first < count; first += kOpenedAtOnce) {
    for (const PacketKind& kind : OpeningOf(protocol)) {
      flows_.OneOfEach(kind, first);
      run_.Run(static_cast<std::uint32_t>(std::min(kOpenedAtOnce, count - first)));
    }
  }
}

double FlowFeeder::Measure(int program, std::uint32_t packets) {
  run_.Install(program);
  return run_.Measure(packets);
}

}  // namespace march::bench
