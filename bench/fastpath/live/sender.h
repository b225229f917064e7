// Sends a trace as real frames, as fast as one CPU can.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/common/test_run.h"
#include "bench/fastpath/live/gateway.h"
#include "bench/fastpath/trace.h"

namespace march::bench {

// Checksums are right.
class Sender {
 public:
  Sender(space::Family family, const std::vector<tests::Packet>& trace);

  void Start(const Gateway& gateway);
  void Stop();

  // Since Start.
  std::uint64_t sent() const { return trace_.Read().next; }

 private:
  BpfObject object_;
  TraceMaps trace_;
  LiveFrames frames_;
};

}  // namespace march::bench
