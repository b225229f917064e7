// Runs programs over packets of flows in the kernel, without any network.
#pragma once

#include <cstdint>

#include "bench/common/bpf_object.h"
#include "bench/common/test_run.h"
#include "bench/stateful/flows.h"

namespace march::bench {

class FlowFeeder {
 public:
  explicit FlowFeeder(const FlowSpace& space);

  // Makes the first `count` connections in a program (a descriptor).
  void Open(int program, std::uint32_t protocol, std::uint64_t count);

  // What Measure gives to the program next.
  FlowMaps& packets() { return flows_; }
  // Nanoseconds a packet, the feeder's own among them.
  double Measure(int program, std::uint32_t packets);

 private:
  BpfObject object_;
  FlowMaps flows_;
  FeederRun run_;
};

}  // namespace march::bench
