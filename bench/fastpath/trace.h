// Packets in the forms that programs take them in.
#pragma once

#include <string>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/fastpath/bpf/trace.h"
#include "tests/rulesets/rulesets.h"

namespace march::bench {

// struct bench_packet4 or bench_packet6, one after the other. `count` packets: the trace over and
// over.
std::string WireTrace(space::Family family, const std::vector<tests::Packet>& trace,
                      std::size_t count);

// An object with the maps of bpf/trace.h, not loaded yet, and its trace.
class TraceMaps {
 public:
  // Loads `object` with room for the trace, up to the next power of two.
  TraceMaps(BpfObject& object, space::Family family, const std::vector<tests::Packet>& trace);

  // The state to start from: the packet `first` is next.
  bench_state StateAt(std::uint64_t first) const;
  void Write(const bench_state& state) const;
  bench_state Read() const;

 private:
  space::Family family_;
  std::uint32_t mask_ = 0;
  int state_map_ = -1;
};

}  // namespace march::bench
