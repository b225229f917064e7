#include "runtime/bpf/test_run.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <utility>

#include "runtime/bpf/kernel_release.h"
#include "runtime/bpf/loader.h"

namespace march::bpf {

TestRun::TestRun(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TestRun::TestRun(TestRun&&) noexcept = default;
TestRun& TestRun::operator=(TestRun&&) noexcept = default;
TestRun::~TestRun() = default;

Outcome<TestRun> TestRun::Load(const Image& image) {
  auto program = LoadProgram(image);
  if (!program.ok()) return std::move(program).diagnostics();
  return TestRun(std::make_unique<Program>(std::move(program).value()));
}

Outcome<RunResult> TestRun::Run(std::string_view frame) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = 1;
  if (const int error = bpf_prog_test_run_opts(program_->prog.get(), &options); error != 0) {
    return KernelRefused("run the program on a frame of " + std::to_string(frame.size()) + " bytes",
                         -error);
  }
  return RunResult{options.retval};
}

Outcome<march_counter> TestRun::ReadSlot(std::uint32_t slot) const {
  return SumCounter(program_->counters.get(), slot);
}

Outcome<std::vector<march_counter>> TestRun::ReadAll() const {
  return SumCounters(program_->counters.get());
}

Outcome<LoadFigures> TestRun::Figures() const {
  bpf_prog_info info{};
  std::uint32_t info_size = sizeof(info);
  const int error = bpf_obj_get_info_by_fd(program_->prog.get(), &info, &info_size);
  if (error != 0) return KernelRefused("ask about the program", -error);
  return LoadFigures{KernelRelease(), info.verified_insns, info.jited_prog_len,
                     program_->load_time};
}

Outcome<Done> MayLoadPrograms() {
  auto program = LoadDropAll("load XDP programs");
  if (program.ok()) return Done{};
  Diagnostics errors = std::move(program).diagnostics();
  errors.front().hint = "this needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
  return errors;
}

}  // namespace march::bpf
