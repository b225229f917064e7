#include "bench/fastpath/feeder.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "bench/fastpath/cpu_time.h"
#include "bench/fastpath/fail.h"

namespace march::bench {
namespace {

constexpr unsigned kFrameBytes = 74;

}  // namespace

Feeder::Feeder(space::Family family, const std::vector<tests::Packet>& trace)
    : object_("feeder.bpf.c"),
      trace_(object_, family, trace),
      frame_(FrameOf(family, kFrameBytes - (family == space::Family::kV4 ? BENCH_L4_IN_IPV4
                                                                         : BENCH_L4_IN_IPV6))) {}

void Feeder::Install(int program) {
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(object_.Map("bench_program"), &zero, &program, BPF_ANY) != 0) {
    Fail("install the program");
  }
  trace_.Write(trace_.StateAt(0));
}

std::uint32_t Feeder::Run(std::uint32_t packets) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame_.data();
  options.data_size_in = static_cast<std::uint32_t>(frame_.size());
  options.repeat = static_cast<int>(packets);
  if (bpf_prog_test_run_opts(object_.Program("bench_feed"), &options) != 0) Fail("run a program");
  return options.retval;
}

double Feeder::Measure(int program, std::uint32_t packets) {
  Install(program);
  // The kernel's own figure is in whole nanoseconds, and counts who else had the CPU meanwhile.
  const double start = ThreadCpuNanoseconds();
  Run(packets);
  return (ThreadCpuNanoseconds() - start) / packets;
}

std::vector<bool> Feeder::Verdicts(int program, std::size_t count) {
  Install(program);
  std::vector<bool> passed(count);
  for (std::size_t i = 0; i < count; ++i) passed[i] = Run(1) == XDP_PASS;
  return passed;
}

}  // namespace march::bench
