#include "runtime/bpf/test_run.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "runtime/bpf/kernel_release.h"
#include "runtime/bpf/loader.h"

namespace march::bpf {
namespace {

constexpr std::uint32_t kMostMaps = 64;  // a program of ours has far fewer

Outcome<std::string> NameOfMap(std::uint32_t id) {
  const UniqueFd map(bpf_map_get_fd_by_id(id));
  if (map.get() < 0) return KernelRefused("ask for a map of the program", errno);
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(map.get(), &info, &size); error != 0) {
    return KernelRefused("ask about a map of the program", -error);
  }
  return std::string(info.name);
}

}  // namespace

TestRun::TestRun(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TestRun::TestRun(TestRun&&) noexcept = default;
TestRun& TestRun::operator=(TestRun&&) noexcept = default;
TestRun::~TestRun() = default;

Outcome<TestRun> TestRun::Load(const Image& image) {
  auto program = LoadProgram(image);
  if (!program.ok()) return std::move(program).diagnostics();
  return TestRun(std::make_unique<Program>(std::move(program).value()));
}

Outcome<RunResult> TestRun::Run(std::string_view frame, std::string* after) {
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = 1;
  if (after != nullptr) {
    after->resize(frame.size());
    options.data_out = after->data();
    options.data_size_out = static_cast<std::uint32_t>(after->size());
  }
  if (const int error = bpf_prog_test_run_opts(program_->prog.get(), &options); error != 0) {
    return KernelRefused("run the program on a frame of " + std::to_string(frame.size()) + " bytes",
                         -error);
  }
  return RunResult{options.retval};
}

Outcome<FrameResult> TestRun::RunForFrame(std::string_view frame) {
  FrameResult result;
  result.frame.resize(4096);
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.data_out = result.frame.data();
  options.data_size_out = static_cast<std::uint32_t>(result.frame.size());
  options.repeat = 1;
  if (const int error = bpf_prog_test_run_opts(program_->prog.get(), &options); error != 0) {
    return KernelRefused("run the program on a frame of " + std::to_string(frame.size()) + " bytes",
                         -error);
  }
  result.xdp_action = options.retval;
  result.frame.resize(options.data_size_out);
  return result;
}

Outcome<march_counter> TestRun::ReadSlot(std::uint32_t slot) const {
  return SumCounter(program_->counters.get(), slot);
}

Outcome<std::vector<march_counter>> TestRun::ReadAll() const {
  return SumCounters(program_->counters.get());
}

Outcome<LoadFigures> TestRun::Figures() const {
  std::array<std::uint32_t, kMostMaps> maps{};
  bpf_prog_info info{};
  info.map_ids = reinterpret_cast<std::uintptr_t>(maps.data());
  info.nr_map_ids = kMostMaps;
  std::uint32_t info_size = sizeof(info);
  const int error = bpf_obj_get_info_by_fd(program_->prog.get(), &info, &info_size);
  if (error != 0) return KernelRefused("ask about the program", -error);
  LoadFigures figures;
  figures.kernel_release = KernelRelease();
  figures.verified_instructions = info.verified_insns;
  figures.instructions = info.xlated_prog_len / std::uint32_t{sizeof(bpf_insn)};
  figures.native_bytes = info.jited_prog_len;
  figures.load_time = program_->load_time;
  for (std::uint32_t i = 0; i < std::min(info.nr_map_ids, kMostMaps); ++i) {
    auto name = NameOfMap(maps[i]);
    if (!name) return name.diagnostics();
    figures.maps.push_back(*std::move(name));
  }
  return figures;
}

Outcome<Done> MayLoadPrograms() {
  auto program = LoadDropAll("load XDP programs");
  if (program.ok()) return Done{};
  Diagnostics errors = std::move(program).diagnostics();
  errors.front().hint = "this needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
  return errors;
}

}  // namespace march::bpf
