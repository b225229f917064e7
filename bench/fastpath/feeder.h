// Runs programs over a trace in the kernel, each packet another one, without any network.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/common/test_run.h"
#include "bench/fastpath/trace.h"
#include "tests/rulesets/rulesets.h"

namespace march::bench {

class Feeder {
 public:
  Feeder(space::Family family, const std::vector<tests::Packet>& trace);

  // Nanoseconds a packet for `program` (a descriptor), over `packets` packets from the trace's
  // start, the feeder's own among them.
  double Measure(int program, std::uint32_t packets);

  // Whether the program passes each of the first `count` packets.
  std::vector<bool> Verdicts(int program, std::size_t count);

 private:
  void Install(int program);

  BpfObject object_;
  TraceMaps trace_;
  FeederRun run_;
};

}  // namespace march::bench
