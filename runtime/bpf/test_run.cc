#include "runtime/bpf/test_run.h"

#include <bpf/bpf.h>

#include <utility>

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

}  // namespace march::bpf
