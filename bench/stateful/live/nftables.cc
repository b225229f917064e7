// nftables as its manual and its users have it, each at its best: one rule where one will do.
#include "bench/common/netfilter.h"
#include "bench/stateful/live/netfilter_subject.h"

namespace march::bench {
namespace {

class Nftables final : public NetfilterSubject {
 public:
  Nftables(const LiveSetup& setup, std::string table, bool tracks)
      : NetfilterSubject(setup, tracks), table_(std::move(table)) {}

 private:
  std::uint64_t CountOf(const std::string& chain) const override {
    return NftCounter(gateway(), workspace(), table_, chain);
  }

  std::string table_;
};

const char* IpOf(const LiveSetup& setup) {
  return setup.space.family == space::Family::kV4 ? "ip" : "ip6";
}

const char* AddressTypeOf(const LiveSetup& setup) {
  return setup.space.family == space::Family::kV4 ? "ipv4_addr" : "ipv6_addr";
}

// What the policy allows.
std::string AllowedOf(const LiveSetup& setup) {
  const std::string ip = IpOf(setup);
  const bool v4 = setup.space.family == space::Family::kV4;
  return ip + " saddr " + (v4 ? "10.1.0.0/16" : "2001:db8:1::/48") + " " + ip + " daddr " +
         (v4 ? "10.2.0.0/16" : "2001:db8:2::/48") + " meta l4proto { tcp, udp } th dport " +
         std::to_string(BENCH_SERVER_PORT) + " ";
}

std::string RateOf(const Limit& limit) {
  return "limit rate over " + std::to_string(limit.rate) + "/second burst " +
         std::to_string(limit.burst) + " packets ";
}

Installed Install(const LiveSetup& setup, const std::string& family, const std::string& body,
                  bool tracks = false) {
  const std::string script =
      "table " + family + " bench {\nchain denied {\ncounter drop\n}\n" + body + "}\n";
  const Finished loaded = LoadNft(setup.router.gateway(), setup.workspace, script);
  if (!loaded.ok) return {nullptr, loaded.problem};
  return {std::make_unique<Nftables>(setup, family + " bench", tracks), ""};
}

std::string ForwardChain(const std::string& rules) {
  return "chain forward {\ntype filter hook forward priority filter; policy accept;\n" + rules +
         "goto denied\n}\n";
}

}  // namespace

Installed InstallNftRules(const LiveSetup& setup) {
  return Install(setup, "inet", ForwardChain(AllowedOf(setup) + "accept\n"));
}

Installed InstallNftConnections(const LiveSetup& setup) {
  return Install(
      setup, "inet",
      "chain opening {\ncounter accept\n}\n" + ForwardChain("ct state established,related accept\n"
                                                            "ct state invalid goto denied\n" +
                                                            AllowedOf(setup) + "goto opening\n"),
      true);
}

Installed InstallNftSharedLimit(const LiveSetup& setup) {
  const Limit shared = {LimitFor(setup.traffic).rate * setup.space.clients(),
                        LimitFor(setup.traffic).burst};
  return Install(setup, "inet",
                 ForwardChain(AllowedOf(setup) + RateOf(shared) + "goto denied\n" +
                              AllowedOf(setup) + "accept\n"));
}

Installed InstallNftSourceLimit(const LiveSetup& setup) {
  const std::string ip = IpOf(setup);
  return Install(setup, "inet",
                 "set sources {\ntype " + std::string(AddressTypeOf(setup)) +
                     "; size 65536; flags dynamic;\n}\n" +
                     ForwardChain(AllowedOf(setup) + "add @sources { " + ip + " saddr " +
                                  RateOf(LimitFor(setup.traffic)) + "} goto denied\n" +
                                  AllowedOf(setup) + "accept\n"));
}

Installed InstallNftBlock(const LiveSetup& setup) {
  std::string elements;
  for (const std::string& prefix : setup.block_list) elements += prefix + ",\n";
  return Install(setup, "netdev",
                 "set blocked {\ntype " + std::string(AddressTypeOf(setup)) +
                     "; flags interval; auto-merge;\nelements = {\n" + elements +
                     "}\n}\nchain arrive {\ntype filter hook ingress device " + setup.router.in() +
                     " priority 0; policy accept;\n" + IpOf(setup) +
                     " saddr @blocked goto denied\n}\n");
}

}  // namespace march::bench
