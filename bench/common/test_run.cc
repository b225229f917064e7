#include "bench/common/test_run.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "bench/common/cpu_time.h"
#include "bench/common/fail.h"
#include "bench/common/priority.h"

namespace march::bench {
namespace {

constexpr std::uint32_t kBatch = 64;
constexpr int kEndRun = SIGUSR1;

// The signal has nothing to do but to be there.
void TakeSignal() {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  sigaction(kEndRun, &action, nullptr);
}

}  // namespace

FeederRun::FeederRun(const BpfObject& object, const char* feeder, std::vector<std::uint8_t> frame)
    : object_(object), feeder_(feeder), frame_(std::move(frame)) {}

void FeederRun::Install(int program) {
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(object_.Map("bench_program"), &zero, &program, BPF_ANY) != 0) {
    Fail("install the program");
  }
}

std::uint32_t FeederRun::Run(std::uint32_t packets) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<std::uint32_t>(frame_.size());
  options.repeat = static_cast<int>(packets);
  if (bpf_prog_test_run_opts(object_.Program(feeder_), &options) != 0) Fail("run a program");
  return options.retval;
}

double FeederRun::Measure(std::uint32_t packets) {
  const OnCpu on(kReceiverCpu);
  const Urgently urgently(kUrgent);
  // The kernel's own figure is in whole nanoseconds, and counts who else had the CPU meanwhile.
  const double start = ThreadCpuNanoseconds();
  Run(packets);
  return (ThreadCpuNanoseconds() - start) / packets;
}

LiveFrames::LiveFrames(int program, std::vector<std::uint8_t> frame)
    : program_(program), frame_(std::move(frame)) {}

LiveFrames::~LiveFrames() {
  Stop();
}

void LiveFrames::Start(const Namespace& place, unsigned cpu) {
  TakeSignal();
  stop_ = false;
  stopped_ = false;
  thread_ = std::thread([this, &place, cpu] {
    const Namespace::Inside here(place);
    const OnCpu on(cpu);
    while (!stop_) Run(kEndless);
    stopped_ = true;
  });
}

void LiveFrames::Stop() {
  if (!thread_.joinable()) return;
  stop_ = true;
  // A signal before the run has begun ends nothing.
  while (!stopped_) {
    ::pthread_kill(thread_.native_handle(), kEndRun);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  thread_.join();
}

void LiveFrames::Send(const Namespace& place, std::uint32_t frames) {
  const Namespace::Inside here(place);
  Run(frames);
}

void LiveFrames::Run(std::uint32_t frames) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<std::uint32_t>(frame_.size());
  options.repeat = static_cast<int>(frames);
  options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  options.batch_size = kBatch;
  if (bpf_prog_test_run_opts(program_, &options) != 0 && errno != EINTR) {
    Fail("send live frames (BPF_F_TEST_XDP_LIVE_FRAMES needs Linux 5.18)");
  }
}

}  // namespace march::bench
