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

}  // namespace

const std::vector<LiveKind>& LiveKinds() {
  static const std::vector<Task> all = {Task::kConnections, Task::kLimit, Task::kBlock};
  static const std::vector<LiveKind> kinds = {
      {kForward, "control: the kernel's forwarding alone, every frame is routed", all, false,
       InstallNothing},
      {"march-stateless",
       "the generated XDP program with no state configured; what it allows the kernel routes",
       {Task::kConnections},
       true,
       InstallStateless},
      {"march",
       "the generated XDP program with connections; what may pass the kernel routes",
       {Task::kConnections},
       true,
       InstallConnections},
      {"nft-rules",
       "nftables in inet forward: one rule accepts what the policy allows, no state",
       {Task::kConnections},
       true,
       InstallNftRules},
      {"nft-conntrack",
       "nftables with connection tracking: established and related connections are accepted "
       "first, new ones where the policy allows",
       {Task::kConnections},
       true,
       InstallNftConnections},
      {"iptables-conntrack",
       "iptables-legacy with connection tracking, likewise",
       {Task::kConnections},
       true,
       InstallIptablesConnections},
      {"nft-limit",
       "nftables: one `limit rate` for all",
       {Task::kLimit},
       true,
       InstallNftSharedLimit},
      {"nft-meter",
       "nftables: a `limit rate` a source, in a dynamic set",
       {Task::kLimit},
       true,
       InstallNftSourceLimit},
      {"iptables-hashlimit",
       "iptables-legacy: hashlimit by source",
       {Task::kLimit},
       true,
       InstallIptablesSourceLimit},
      {"nft-block",
       "nftables at the netdev ingress hook, a set of intervals",
       {Task::kBlock},
       true,
       InstallNftBlock},
      {"ipset-block",
       "iptables-legacy in raw PREROUTING with an ipset hash:net",
       {Task::kBlock},
       true,
       InstallIpsetBlock},
  };
  return kinds;
}

}  // namespace march::bench
