#include "bench/fastpath/live/live_subject.h"

#include <optional>

#include "bench/common/fail.h"
#include "bench/common/netfilter.h"
#include "bench/common/xdp.h"
#include "bench/fastpath/live/netfilter.h"
#include "bench/fastpath/subjects/subject.h"
#include "runtime/bpf/loader.h"

namespace march::bench {
namespace {

class Nothing final : public LiveSubject {
 public:
  std::optional<std::uint64_t> Denied() const override { return 0; }
};

Installed InstallNothing(const LiveSetup&) {
  return {std::make_unique<Nothing>(), 0, ""};
}

// A subject of the classification, with its program attached.
class AttachedSubject final : public LiveSubject {
 public:
  AttachedSubject(std::unique_ptr<Subject> subject, const Gateway& gateway)
      : subject_(std::move(subject)),
        xdp_(gateway.inside(), gateway.in_index(), subject_->program()) {}
  std::optional<std::uint64_t> Denied() const override { return {}; }

 private:
  std::unique_ptr<Subject> subject_;
  AttachedXdp xdp_;
};

template <MadeSubject (*Make)(const Policy&, const Workspace&)>
Installed InstallXdp(const LiveSetup& setup) {
  MadeSubject made = Make(setup.policy, setup.workspace);
  if (made.subject == nullptr) return {nullptr, 0, made.refusal};
  if (const auto refusal = made.subject->Prepare(setup.trace)) return {nullptr, 0, *refusal};
  const double seconds = made.subject->facts().load_seconds;
  return {std::make_unique<AttachedSubject>(std::move(made.subject), setup.gateway), seconds, ""};
}

// Ours counts every packet at what decided it.
class LiveGenerated final : public LiveSubject {
 public:
  LiveGenerated(const Policy& policy, bpf::Program program, const Gateway& gateway)
      : policy_(policy),
        program_(std::move(program)),
        xdp_(gateway.inside(), gateway.in_index(), program_.prog.get()) {}

  std::optional<std::uint64_t> Denied() const override { return Sum().denied; }
  std::optional<std::uint64_t> Judged() const override { return Sum().judged; }

 private:
  struct Sums {
    std::uint64_t judged = 0;
    std::uint64_t denied = 0;
  };
  Sums Sum() const {
    const auto counters = bpf::SumCounters(program_.counters.get());
    if (!counters) FailWith(counters.diagnostics());
    Sums sums;
    for (std::size_t slot = 0; slot < counters->size(); ++slot) {
      const std::uint64_t packets = (*counters)[slot].packets;
      sums.judged += packets;
      const std::size_t rule = slot - MARCH_SLOT_FIRST_MAPPING;
      const bool passes = slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR ||
                          (slot >= MARCH_SLOT_FIRST_MAPPING && rule < policy_.rules.size() &&
                           policy_.rules[rule].allow);
      if (!passes) sums.denied += packets;
    }
    return sums;
  }

  const Policy& policy_;
  bpf::Program program_;
  AttachedXdp xdp_;
};

Installed InstallGenerated(const LiveSetup& setup) {
  const Policy& policy = setup.policy;
  Installed installed;
  std::optional<bpf::Program> program;
  installed.load_seconds = SecondsOf([&] {
    auto loaded = bpf::LoadProgram({policy.object, policy.tables, policy.slots});
    if (!loaded.ok()) FailWith(loaded.diagnostics());
    program = std::move(loaded).value();
  });
  installed.subject = std::make_unique<LiveGenerated>(policy, std::move(*program), setup.gateway);
  return installed;
}

class Nftables final : public LiveSubject {
 public:
  Nftables(const LiveSetup& setup, std::string table)
      : gateway_(setup.gateway), workspace_(setup.workspace), table_(std::move(table)) {}

  std::optional<std::uint64_t> Denied() const override {
    return NftCounter(gateway_.inside(), workspace_, table_, "denied");
  }

 private:
  const Gateway& gateway_;
  const Workspace& workspace_;
  std::string table_;
};

template <NftPlace Place, NftForm Form>
Installed InstallNft(const LiveSetup& setup) {
  const auto script = NftScript(setup.policy, Place, Form, setup.gateway.in());
  if (!script) {
    return {nullptr, 0, "sets know no precedence: the policy has denies, or overlaps too much"};
  }
  const Finished loaded = LoadNft(setup.gateway.inside(), setup.workspace, *script);
  if (!loaded.ok) return {nullptr, 0, loaded.problem};
  const char* table = Place == NftPlace::kIngress ? "netdev bench" : "inet bench";
  return {std::make_unique<Nftables>(setup, table), loaded.seconds, ""};
}

class Iptables final : public LiveSubject {
 public:
  Iptables(const LiveSetup& setup, std::string program, std::string table)
      : gateway_(setup.gateway),
        workspace_(setup.workspace),
        program_(std::move(program)),
        table_(std::move(table)) {}

  std::optional<std::uint64_t> Denied() const override {
    return IptablesCounter(gateway_.inside(), workspace_, program_, table_, "BENCH-DENIED");
  }

 private:
  const Gateway& gateway_;
  const Workspace& workspace_;
  std::string program_;
  std::string table_;
};

template <IptablesBackend Backend, bool Raw>
Installed InstallIptables(const LiveSetup& setup) {
  const std::string program =
      IptablesProgram(setup.policy.options.family == space::Family::kV4, Backend);
  const Finished loaded = LoadIptables(setup.gateway.inside(), setup.workspace, program,
                                       IptablesScript(setup.policy, Raw));
  if (!loaded.ok) return {nullptr, 0, loaded.problem};
  return {std::make_unique<Iptables>(setup, program, Raw ? "raw" : "filter"), loaded.seconds, ""};
}

}  // namespace

const std::vector<LiveKind>& LiveKinds() {
  static const std::vector<LiveKind> kinds = {
      {"forward-all", "control: no filter at all, every frame is routed", false, InstallNothing},
      {"xdp-drop", "control: an XDP program that drops every frame unseen", false,
       InstallXdp<MakeDrop>},
      {"march", "the generated XDP program, in the driver; what it allows is routed", true,
       InstallGenerated},
      {"lpm", "the LPM-trie reference as an XDP program, in the driver", true, InstallXdp<MakeLpm>},
      {"nft-ingress-linear", "nftables at the netdev ingress hook, a rule a mapping", true,
       InstallNft<NftPlace::kIngress, NftForm::kLinear>},
      {"nft-ingress-set", "nftables at the netdev ingress hook, sets of concatenated intervals",
       true, InstallNft<NftPlace::kIngress, NftForm::kSet>},
      {"nft-ingress-map",
       "nftables at the netdev ingress hook, a verdict map over destinations, then "
       "the rules of the destination",
       true, InstallNft<NftPlace::kIngress, NftForm::kMap>},
      {"nft-prerouting-map",
       "nftables in inet prerouting, priority raw, a verdict map over destinations", true,
       InstallNft<NftPlace::kPrerouting, NftForm::kMap>},
      {"nft-forward-linear", "nftables in inet forward, a rule a mapping", true,
       InstallNft<NftPlace::kForward, NftForm::kLinear>},
      {"nft-forward-map", "nftables in inet forward, a verdict map over destinations", true,
       InstallNft<NftPlace::kForward, NftForm::kMap>},
      {"iptables-legacy-raw", "iptables-legacy in raw PREROUTING, a rule a mapping", true,
       InstallIptables<IptablesBackend::kLegacy, true>},
      {"iptables-legacy-forward", "iptables-legacy in FORWARD, a rule a mapping", true,
       InstallIptables<IptablesBackend::kLegacy, false>},
      {"iptables-nft-forward", "iptables-nft in FORWARD, a rule a mapping", true,
       InstallIptables<IptablesBackend::kNft, false>},
  };
  return kinds;
}

}  // namespace march::bench
