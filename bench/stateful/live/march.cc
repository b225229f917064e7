// Ours, as marchd loads it, on both interfaces of the gateway.
#include "bench/common/xdp.h"
#include "bench/stateful/gateway_program.h"
#include "bench/stateful/live/live_subject.h"

namespace march::bench {
namespace {

class March final : public LiveSubject {
 public:
  March(const LiveSetup& setup, const Asked& asked)
      : program_(setup.mappings, asked),
        at_in_(setup.router.gateway(), setup.router.in_index(), program_.fd()),
        at_out_(setup.router.gateway(), setup.router.out_index(), program_.fd()) {}

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

}  // namespace

Installed InstallStateless(const LiveSetup& setup) {
  return {std::make_unique<March>(setup, Asked{"", std::string(kNoConnections)}), ""};
}

// With the room that the kernel's connection tracking has.
Installed InstallConnections(const LiveSetup& setup) {
  return {std::make_unique<March>(setup,
                                  Asked{"", "connections: { established: 262144, new: 262144 }\n"}),
          ""};
}

}  // namespace march::bench
