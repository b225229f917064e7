#include "bench/fastpath/live/sender.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "bench/fastpath/fail.h"

namespace march::bench {
namespace {

// A run sets up its pages anew, and Stop waits for its end: some 20 ms at 5 million a second.
constexpr int kFramesPerRun = 100'000;
constexpr std::uint32_t kBatch = 64;

}  // namespace

Sender::Sender(space::Family family, const std::vector<tests::Packet>& trace)
    : object_("sender.bpf.c"),
      trace_(object_, family, trace),
      frame_(FrameOf(family, BENCH_L4_BYTES)) {}

Sender::~Sender() {
  Stop();
}

void Sender::Start(const Gateway& gateway) {
  bench_state state = trace_.StateAt(0);
  state.interface = gateway.feed_index();
  std::copy_n(kGatewayMac, 6, state.destination_mac);
  std::copy_n(kFeedMac, 6, state.source_mac);
  trace_.Write(state);
  stop_ = false;
  thread_ = std::thread([this, &gateway] { Send(gateway); });
}

void Sender::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Sender::Send(const Gateway& gateway) {
  const Namespace::Inside here(gateway.outside());
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(kSenderCpu, &cpus);
  ::sched_setaffinity(0, sizeof(cpus), &cpus);
  while (!stop_) {
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame_.data();
    options.data_size_in = static_cast<std::uint32_t>(frame_.size());
    options.repeat = kFramesPerRun;
    options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    options.batch_size = kBatch;
    if (bpf_prog_test_run_opts(object_.Program("bench_send"), &options) != 0 && errno != EINTR) {
      Fail("send live frames (BPF_F_TEST_XDP_LIVE_FRAMES needs Linux 5.18)");
    }
  }
}

}  // namespace march::bench
