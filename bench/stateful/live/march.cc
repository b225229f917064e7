// Ours, as marchd loads it, on both interfaces of the gateway.
#include "bench/common/fail.h"
#include "bench/common/xdp.h"
#include "bench/stateful/live/live_subject.h"
#include "bench/stateful/policy.h"
#include "runtime/bpf/loader.h"

namespace march::bench {
namespace {

class March final : public LiveSubject {
 public:
  March(const LiveSetup& setup, bpf::Program program)
      : program_(std::move(program)),
        at_in_(setup.router.gateway(), setup.router.in_index(), program_.prog.get()),
        at_out_(setup.router.gateway(), setup.router.out_index(), program_.prog.get()) {}

  std::optional<std::uint64_t> Denied() const override {
    const auto counters = bpf::SumCounters(program_.counters.get());
    if (!counters) FailWith(counters.diagnostics());
    std::uint64_t denied = 0;
    for (std::size_t slot = 0; slot < MARCH_SLOT_FIRST_MAPPING; ++slot) {
      if (slot != MARCH_SLOT_ARP && slot != MARCH_SLOT_NEIGHBOUR) {
        denied += (*counters)[slot].packets;
      }
    }
    return denied;
  }

 private:
  bpf::Program program_;
  AttachedXdp at_in_;
  AttachedXdp at_out_;
};

}  // namespace

Installed InstallStateless(const LiveSetup& setup) {
  const Policy policy = MakePolicy({setup.mappings, ""});
  auto program = bpf::LoadProgram({policy.object, policy.tables, policy.slots});
  if (!program.ok()) FailWith(program.diagnostics());
  return {std::make_unique<March>(setup, std::move(program).value()), ""};
}

}  // namespace march::bench
