// Sends packets of flows as real frames, through a gateway.
#pragma once

#include "bench/common/bpf_object.h"
#include "bench/common/test_run.h"
#include "bench/stateful/flows.h"
#include "bench/stateful/live/router.h"

namespace march::bench {

class FlowSender {
 public:
  explicit FlowSender(const FlowSpace& space);

  // Makes the first `count` connections. Errors, a lost frame too, end the program.
  void Open(const Router& router, std::uint32_t protocol, std::uint64_t count);

  // A packet each of `count` connections from `first` on; returns when all have arrived.
  void SendOneOfEach(const Router& router, const PacketKind& kind, std::uint64_t first,
                     std::uint64_t count);

  // What is sent from the clients next.
  FlowMaps& PacketsTo(const Router& router);
  // Returns when all are sent.
  void Send(const Router& router, std::uint32_t frames);

 private:
  BpfObject object_;
  FlowMaps flows_;
  LiveFrames frames_;
};

}  // namespace march::bench
