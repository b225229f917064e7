#include "bench/stateful/live/flow_sender.h"

#include <algorithm>
#include <chrono>

#include "bench/common/fail.h"
#include "bench/common/frame.h"
#include "bench/common/priority.h"

namespace march::bench {
namespace {

constexpr std::chrono::seconds kPatience{2};

}  // namespace

FlowSender::FlowSender(const FlowSpace& space)
    : object_("stateful/bpf/flow_sender.bpf.c"),
      flows_(object_, space),
      frames_(object_.Program("bench_send"), FrameOf(space.family, BENCH_L4_BYTES)) {}

void FlowSender::Open(const Router& router, std::uint32_t protocol, std::uint64_t count) {
  for (std::uint64_t first = 0; first < count; first += kOpenedAtOnce) {
    for (const PacketKind& kind : OpeningOf(protocol)) {
      SendOneOfEach(router, kind, first, std::min(kOpenedAtOnce, count - first));
    }
  }
}

void FlowSender::SendOneOfEach(const Router& router, const PacketKind& kind, std::uint64_t first,
                               std::uint64_t count) {
  const Router::Side from = kind.reply ? router.servers() : router.clients();
  const auto received = [&] {
    return (kind.reply ? router.CountsOfOut() : router.CountsOfIn()).received;
  };
  flows_.SetRoute(from.interface, from.mac, from.gateway_mac);
  flows_.OneOfEach(kind, first);
  const std::uint64_t before = received();
  {
    const OnCpu on(kReceiverCpu);
    const Urgently urgently(kSenderRank);
    frames_.Send(from.place, static_cast<std::uint32_t>(count));
  }
  const auto start = std::chrono::steady_clock::now();
  while (received() - before < count) {
    if (std::chrono::steady_clock::now() - start > kPatience) {
      FailWith("of " + std::to_string(count) + " frames " + std::to_string(received() - before) +
               " arrived");
    }
  }
}

FlowMaps& FlowSender::PacketsTo(const Router& router) {
  const Router::Side from = router.clients();
  flows_.SetRoute(from.interface, from.mac, from.gateway_mac);
  return flows_;
}

void FlowSender::Send(const Router& router, std::uint32_t frames) {
  const OnCpu on(kReceiverCpu);
  const Urgently urgently(kSenderRank);
  frames_.Send(router.clients().place, frames);
}

}  // namespace march::bench
