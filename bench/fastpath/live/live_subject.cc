#include "bench/fastpath/live/live_subject.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/fastpath/fail.h"
#include "bench/fastpath/live/netfilter.h"
#include "bench/fastpath/process.h"
#include "bench/fastpath/subjects/subject.h"
#include "runtime/bpf/loader.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr double kLoadLimitSeconds = 60;

class Nothing final : public LiveSubject {
 public:
  std::optional<std::uint64_t> Denied() const override { return 0; }
};

Installed InstallNothing(const LiveSetup&) {
  return {std::make_unique<Nothing>(), 0, ""};
}

// An XDP program in the driver, as on a gateway.
class Xdp : public LiveSubject {
 public:
  Xdp(const Gateway& gateway, int program) : gateway_(gateway) {
    const Namespace::Inside here(gateway_.inside());
    const auto index = static_cast<int>(gateway_.in_index());
    if (bpf_xdp_attach(index, program, XDP_FLAGS_DRV_MODE, nullptr) != 0) {
      Fail("attach an XDP program");
    }
  }
  ~Xdp() override {
    const Namespace::Inside here(gateway_.inside());
    bpf_xdp_detach(static_cast<int>(gateway_.in_index()), XDP_FLAGS_DRV_MODE, nullptr);
  }
  Xdp(const Xdp&) = delete;
  Xdp& operator=(const Xdp&) = delete;
  std::optional<std::uint64_t> Denied() const override { return {}; }

 private:
  const Gateway& gateway_;
};

// A subject of the classification, with its program attached.
class AttachedSubject final : public LiveSubject {
 public:
  AttachedSubject(std::unique_ptr<Subject> subject, const Gateway& gateway)
      : subject_(std::move(subject)), xdp_(gateway, subject_->program()) {}
  std::optional<std::uint64_t> Denied() const override { return {}; }

 private:
  std::unique_ptr<Subject> subject_;
  Xdp xdp_;
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
      : policy_(policy), program_(std::move(program)), xdp_(gateway, program_.prog.get()) {}

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
  Xdp xdp_;
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
  Nftables(const Gateway& gateway, std::string family, std::string listing)
      : gateway_(gateway), family_(std::move(family)), listing_(std::move(listing)) {}

  std::optional<std::uint64_t> Denied() const override {
    const Namespace::Inside here(gateway_.inside());
    const Finished listed =
        RunProgram({"sh", "-c", "nft -j list chain " + family_ + " bench denied > " + listing_},
                   kLoadLimitSeconds);
    if (!listed.ok) FailWith(listed.problem);
    const json text = json::parse(ReadFile(listing_));
    for (const json& item : text["nftables"]) {
      if (!item.contains("rule")) continue;
      for (const json& part : item["rule"]["expr"]) {
        if (part.contains("counter")) return part["counter"]["packets"].get<std::uint64_t>();
      }
    }
    FailWith("nft does not show the counter of denied packets");
  }

 private:
  const Gateway& gateway_;
  std::string family_;
  std::string listing_;
};

template <NftPlace Place, NftForm Form>
Installed InstallNft(const LiveSetup& setup) {
  const Gateway& gateway = setup.gateway;
  const Workspace& workspace = setup.workspace;
  if (FindProgram("nft").empty()) return {nullptr, 0, "nft is not installed (Debian: nftables)"};
  const auto script = NftScript(setup.policy, Place, Form, gateway.in());
  if (!script) {
    return {nullptr, 0, "sets know no precedence: the policy has denies, or overlaps too much"};
  }
  const std::string path = workspace.path() + "/script.nft";
  WriteFile(path, *script);
  const Namespace::Inside here(gateway.inside());
  const Finished loaded = RunProgram({"nft", "-f", path}, kLoadLimitSeconds);
  if (!loaded.ok) return {nullptr, 0, loaded.problem};
  const std::string family = Place == NftPlace::kIngress ? "netdev" : "inet";
  return {std::make_unique<Nftables>(gateway, family, workspace.path() + "/listing.json"),
          loaded.seconds, ""};
}

class Iptables final : public LiveSubject {
 public:
  Iptables(const Gateway& gateway, std::string save, std::string table, std::string listing)
      : gateway_(gateway),
        save_(std::move(save)),
        table_(std::move(table)),
        listing_(std::move(listing)) {}

  std::optional<std::uint64_t> Denied() const override {
    const Namespace::Inside here(gateway_.inside());
    const Finished saved =
        RunProgram({"sh", "-c", save_ + " -c -t " + table_ + " > " + listing_}, kLoadLimitSeconds);
    if (!saved.ok) FailWith(saved.problem);
    const std::string text = ReadFile(listing_);
    // "[PACKETS:BYTES] -A BENCH-DENIED -j DROP"
    const std::size_t rule = text.find("] -A BENCH-DENIED ");
    if (rule == std::string::npos) FailWith(save_ + " does not show the rule that drops");
    const std::size_t start = text.rfind('[', rule) + 1;
    return std::stoull(text.substr(start));
  }

 private:
  const Gateway& gateway_;
  std::string save_;
  std::string table_;
  std::string listing_;
};

enum class Backend { kLegacy, kNft };

template <Backend Which, bool Raw>
Installed InstallIptables(const LiveSetup& setup) {
  const Gateway& gateway = setup.gateway;
  const Workspace& workspace = setup.workspace;
  std::string program =
      setup.policy.options.family == space::Family::kV4 ? "iptables" : "ip6tables";
  program += Which == Backend::kLegacy ? "-legacy" : "-nft";
  if (FindProgram(program).empty()) {
    return {nullptr, 0, program + " is not installed (Debian: iptables)"};
  }
  const std::string path = workspace.path() + "/script.iptables";
  WriteFile(path, IptablesScript(setup.policy, Raw));
  const Namespace::Inside here(gateway.inside());
  const Finished loaded = RunProgram({program + "-restore"}, kLoadLimitSeconds, path);
  if (!loaded.ok) return {nullptr, 0, loaded.problem};
  return {std::make_unique<Iptables>(gateway, program + "-save", Raw ? "raw" : "filter",
                                     workspace.path() + "/listing.iptables"),
          loaded.seconds, ""};
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
       InstallIptables<Backend::kLegacy, true>},
      {"iptables-legacy-forward", "iptables-legacy in FORWARD, a rule a mapping", true,
       InstallIptables<Backend::kLegacy, false>},
      {"iptables-nft-forward", "iptables-nft in FORWARD, a rule a mapping", true,
       InstallIptables<Backend::kNft, false>},
  };
  return kinds;
}

}  // namespace march::bench
