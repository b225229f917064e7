#include "bench/fastpath/live/sender.h"

#include <algorithm>

#include "bench/common/frame.h"

namespace march::bench {

Sender::Sender(space::Family family, const std::vector<tests::Packet>& trace)
    : object_("fastpath/bpf/sender.bpf.c"),
      trace_(object_, family, trace),
      frames_(object_.Program("bench_send"), FrameOf(family, BENCH_L4_BYTES)) {}

void Sender::Start(const Gateway& gateway) {
  bench_state state = trace_.StateAt(0);
  state.interface = gateway.feed_index();
  std::copy_n(kGatewayMac, 6, state.destination_mac);
  std::copy_n(kFeedMac, 6, state.source_mac);
  trace_.Write(state);
  frames_.Start(gateway.outside());
}

void Sender::Stop() {
  frames_.Stop();
}

}  // namespace march::bench
