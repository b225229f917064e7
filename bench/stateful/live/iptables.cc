// iptables with the matches that its users have for connections, rates and block lists.
#include "bench/common/netfilter.h"
#include "bench/stateful/live/netfilter_subject.h"

namespace march::bench {
namespace {

constexpr double kIpsetLimitSeconds = 60;

class Iptables final : public NetfilterSubject {
 public:
  Iptables(const LiveSetup& setup, std::string program, std::string table, bool tracks)
      : NetfilterSubject(setup, tracks), program_(std::move(program)), table_(std::move(table)) {}

 private:
  std::uint64_t CountOf(const std::string& chain) const override {
    return IptablesCounter(gateway(), workspace(), program_, table_, chain);
  }

  std::string program_;
  std::string table_;
};

// What the policy allows; a rule each for TCP and UDP, with what is to be done.
std::string Allowed(const LiveSetup& setup, const std::string& what) {
  const bool v4 = setup.space.family == space::Family::kV4;
  std::string rules;
  for (const char* protocol : {"tcp", "udp"}) {
    rules += std::string("-A FORWARD -s ") + (v4 ? "10.1.0.0/16" : "2001:db8:1::/48") + " -d " +
             (v4 ? "10.2.0.0/16" : "2001:db8:2::/48") + " -p " + protocol + " -m " + protocol +
             " --dport " + std::to_string(BENCH_SERVER_PORT) + " " + what + "\n";
  }
  return rules;
}

Installed Install(const LiveSetup& setup, const std::string& table, const std::string& rules,
                  bool tracks = false) {
  const std::string program =
      IptablesProgram(setup.space.family == space::Family::kV4, IptablesBackend::kLegacy);
  const std::string script = "*" + table + "\n" + rules + "COMMIT\n";
  const Finished loaded = LoadIptables(setup.router.gateway(), setup.workspace, program, script);
  if (!loaded.ok) return {nullptr, loaded.problem};
  return {std::make_unique<Iptables>(setup, program, table, tracks), ""};
}

constexpr const char* kDenied = ":denied - [0:0]\n-A denied -j DROP\n";

}  // namespace

Installed InstallIptablesConnections(const LiveSetup& setup) {
  return Install(setup, "filter",
                 std::string(kDenied) +
                     ":opening - [0:0]\n-A opening -j ACCEPT\n"
                     "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED "
                     "-j ACCEPT\n"
                     "-A FORWARD -m conntrack --ctstate INVALID "
                     "-g denied\n" +
                     Allowed(setup, "-g opening") + "-A FORWARD -g denied\n",
                 true);
}

Installed InstallIptablesSourceLimit(const LiveSetup& setup) {
  const Limit limit = LimitFor(setup.traffic);
  return Install(setup, "filter",
                 kDenied +
                     Allowed(setup, "-m hashlimit --hashlimit-above " + std::to_string(limit.rate) +
                                        "/sec --hashlimit-burst " + std::to_string(limit.burst) +
                                        " --hashlimit-mode srcip --hashlimit-name bench "
                                        "--hashlimit-htable-size 65536 --hashlimit-htable-max "
                                        "65536 -g denied") +
                     Allowed(setup, "-j ACCEPT") + "-A FORWARD -g denied\n");
}

Installed InstallIpsetBlock(const LiveSetup& setup) {
  if (FindProgram("ipset").empty()) return {nullptr, "ipset is not installed (Debian: ipset)"};
  std::string script = "create blocked hash:net family ";
  script += setup.space.family == space::Family::kV4 ? "inet" : "inet6";
  script += " maxelem " + std::to_string(setup.block_list.size() + 1) + "\n";
  for (const std::string& prefix : setup.block_list) script += "add blocked " + prefix + "\n";
  const std::string path = setup.workspace.path() + "/script.ipset";
  WriteFile(path, script);
  {
    const Namespace::Inside here(setup.router.gateway());
    const Finished loaded = RunProgram({"ipset", "restore"}, kIpsetLimitSeconds, path);
    if (!loaded.ok) return {nullptr, loaded.problem};
  }
  return Install(setup, "raw",
                 std::string(kDenied) + "-A PREROUTING -m set --match-set blocked src -g denied\n");
}

}  // namespace march::bench
