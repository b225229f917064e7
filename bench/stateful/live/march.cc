// Ours, as marchd loads it, on both interfaces of the gateway.
#include "bench/common/xdp.h"
#include "bench/stateful/asked.h"
#include "bench/stateful/gateway_program.h"
#include "bench/stateful/live/live_subject.h"

namespace march::bench {
namespace {

class March final : public LiveSubject {
 public:
  March(const LiveSetup& setup, const Asked& asked)
      : program_(setup.mappings, asked),
        at_in_(setup.router.gateway(), setup.router.in_index(), program_.fd()),
        at_out_(setup.router.gateway(), setup.router.out_index(), program_.fd()) {
    program_.LearnInterfaces(setup.router.gateway());
  }

  std::optional<std::uint64_t> Denied() const override { return program_.Denied(); }
  std::optional<std::uint64_t> Opening() const override {
    if (!program_.keeps_connections()) return {};
    return program_.Statistic(MARCH_STATISTIC_FLOWS_OPENED);
  }
  std::optional<std::uint64_t> Known() const override {
    if (!program_.keeps_connections()) return {};
    return program_.Established();
  }
  void ForgetConnections() override {
    if (program_.keeps_connections()) program_.ForgetConnections();
  }

 private:
  GatewayProgram program_;
  AttachedXdp at_in_;
  AttachedXdp at_out_;
};

Installed Install(const LiveSetup& setup, const Asked& asked) {
  return {std::make_unique<March>(setup, asked), ""};
}

// With the room that the kernel's connection tracking has here.
Asked AskConnections() {
  Asked asked;
  asked.established = 1 << 18;
  asked.fresh = 1 << 18;
  return asked;
}

Asked Fast(const LiveSetup& setup, Asked asked) {
  asked.fast = {setup.router.in(), setup.router.out()};
  return asked;
}

}  // namespace

Installed InstallStateless(const LiveSetup& setup) {
  return Install(setup, {});
}

Installed InstallFastStateless(const LiveSetup& setup) {
  return Install(setup, Fast(setup, {}));
}

Installed InstallConnections(const LiveSetup& setup) {
  return Install(setup, AskConnections());
}

Installed InstallFastConnections(const LiveSetup& setup) {
  return Install(setup, Fast(setup, AskConnections()));
}

Installed InstallMappingLimit(const LiveSetup& setup) {
  return Install(setup, AskMappingLimit(setup.traffic, setup.space, setup.mappings));
}

Installed InstallSourceLimit(const LiveSetup& setup) {
  return Install(setup, AskSourceLimit(setup.traffic));
}

Installed InstallBlockList(const LiveSetup& setup) {
  return Install(setup, AskBlockList(setup.traffic, setup.space, setup.blocked));
}

}  // namespace march::bench
