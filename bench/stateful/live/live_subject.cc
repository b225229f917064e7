#include "bench/stateful/live/live_subject.h"

namespace march::bench {
namespace {

class Nothing final : public LiveSubject {
 public:
  std::optional<std::uint64_t> Denied() const override { return 0; }
};

Installed InstallNothing(const LiveSetup&) {
  return {std::make_unique<Nothing>(), ""};
}

const std::vector<std::string_view> kConnections = {"established-tcp", "established-udp", "new-tcp",
                                                    "new-udp", "denied"};
const std::vector<std::string_view> kLimits = {kWithinLimit, kOverLimit};
const std::vector<std::string_view> kBlocks = {kNotBlocked, kBlocked};

}  // namespace

const std::vector<LiveKind>& LiveKinds() {
  static const std::vector<LiveKind> kinds = {
      {kForward,
       "control: the kernel's forwarding alone, every frame is routed",
       {},
       Judge::kNone,
       InstallNothing},
      {"march-stateless",
       "the generated XDP program, asked for nothing beside verdicts; what it allows the kernel "
       "routes",
       kConnections, Judge::kPolicy, InstallStateless},
      {"march", "likewise, and connections are kept", kConnections, Judge::kPolicy,
       InstallConnections},
      {"march-stateless-fast", "as march-stateless, but what it allows it forwards itself",
       kConnections, Judge::kPolicy, InstallFastStateless},
      {"march-fast", "as march, but what it allows it forwards itself", kConnections,
       Judge::kPolicy, InstallFastConnections},
      {"nft-rules", "nftables in inet forward: one rule accepts what the policy allows, no state",
       kConnections, Judge::kPolicy, InstallNftRules},
      {"nft-conntrack",
       "nftables with connection tracking: established and related connections are accepted "
       "first, new ones where the policy allows",
       kConnections, Judge::kPolicy, InstallNftConnections},
      {"iptables-conntrack", "iptables-legacy with connection tracking, likewise", kConnections,
       Judge::kPolicy, InstallIptablesConnections},
      {"march-limit", "as march-stateless, and each mapping has a limit", kLimits, Judge::kFeature,
       InstallMappingLimit},
      {"march-limit-by-source", "as march-stateless, and each source has a limit", kLimits,
       Judge::kFeature, InstallSourceLimit},
      {"nft-limit", "nftables: one `limit rate` for all", kLimits, Judge::kFeature,
       InstallNftSharedLimit},
      {"nft-meter", "nftables: a `limit rate` a source, in a dynamic set", kLimits, Judge::kFeature,
       InstallNftSourceLimit},
      {"iptables-hashlimit", "iptables-legacy: hashlimit by source", kLimits, Judge::kFeature,
       InstallIptablesSourceLimit},
      {"march-block-list", "as march-stateless, and a block list", kBlocks, Judge::kFeature,
       InstallBlockList},
      {"nft-block", "nftables at the netdev ingress hook, a set of intervals", kBlocks,
       Judge::kFeature, InstallNftBlock},
      {"ipset-block", "iptables-legacy in raw PREROUTING with an ipset hash:net", kBlocks,
       Judge::kFeature, InstallIpsetBlock},
  };
  return kinds;
}

}  // namespace march::bench
