#include "cli/kernel_prover.h"

#include <utility>

#include "runtime/bpf/witness_run.h"

namespace march::cli {
namespace {

static_assert(prove::Kernel::kMostAtOnce <= bpf::WitnessRun::kMostAtOnce);

class RunningProgram final : public prove::Kernel {
 public:
  explicit RunningProgram(bpf::WitnessRun run) : run_(std::move(run)) {}

  Outcome<std::vector<prove::KernelMiss>> Run(std::span<const march_witness> witnesses) override {
    auto misses = run_.Run(witnesses);
    if (!misses) return std::move(misses).diagnostics();
    std::vector<prove::KernelMiss> result;
    for (bpf::WitnessMiss& miss : *misses) {
      result.push_back({miss.index, miss.xdp_action, std::move(miss.moved)});
    }
    return result;
  }

 private:
  bpf::WitnessRun run_;
};

}  // namespace

Outcome<std::unique_ptr<prove::Kernel>> KernelProver::Load(const prove::KernelImage& image) {
  auto run = bpf::WitnessRun::Load({image.object, image.tables, image.slots}, image.feeder);
  if (!run) {
    Diagnostics errors = std::move(run).diagnostics();
    errors.front().hint =
        "the proof runs the program in the kernel, which takes root or CAP_BPF, CAP_NET_ADMIN and "
        "CAP_PERFMON; --prove=tables proves the tables alone";
    return errors;
  }
  return std::unique_ptr<prove::Kernel>(std::make_unique<RunningProgram>(*std::move(run)));
}

}  // namespace march::cli
