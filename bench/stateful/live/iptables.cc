// iptables with the matches that its users have for connections, rates and block lists.
#include "bench/common/netfilter.h"
#include "bench/stateful/live/connections.h"
#include "bench/stateful/live/live_subject.h"

namespace march::bench {
namespace {

constexpr double kIpsetLimitSeconds = 60;

class Iptables final : public LiveSubject {
 public:
  Iptables(const LiveSetup& setup, std::string program, std::string table, bool tracks)
      : gateway_(setup.router.gateway()),
        workspace_(setup.workspace),
        program_(std::move(program)),
        table_(std::move(table)),
        tracks_(tracks) {}

  std::optional<std::uint64_t> Denied() const override {
    return IptablesCounter(gateway_, workspace_, program_, table_, "BENCH-DENIED");
  }
  std::optional<std::uint64_t> Opening() const override {
    if (!tracks_) return {};
    return IptablesCounter(gateway_, workspace_, program_, table_, "BENCH-OPENING");
  }
  std::optional<std::uint64_t> Known() const override {
    if (!tracks_) return {};
    return CountTracked(gateway_);
  }
  std::uint64_t Room() const override { return tracks_ ? MostTracked() : UINT64_MAX; }
  void ForgetConnections() override {
    if (tracks_) FlushTracked(gateway_);
  }

 private:
  const Namespace& gateway_;
  const Workspace& workspace_;
  std::string program_;
  std::string table_;
  bool tracks_;
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

constexpr const char* kDenied = ":BENCH-DENIED - [0:0]\n-A BENCH-DENIED -j DROP\n";

}  // namespace

Installed InstallIptablesConnections(const LiveSetup& setup) {
  return Install(setup, "filter",
                 std::string(kDenied) +
                     ":BENCH-OPENING - [0:0]\n-A BENCH-OPENING -j ACCEPT\n"
                     "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED "
                     "-j ACCEPT\n"
                     "-A FORWARD -m conntrack --ctstate INVALID "
                     "-g BENCH-DENIED\n" +
                     Allowed(setup, "-g BENCH-OPENING") + "-A FORWARD -g BENCH-DENIED\n",
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
                                        "65536 -g BENCH-DENIED") +
                     Allowed(setup, "-j ACCEPT") + "-A FORWARD -g BENCH-DENIED\n");
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
  return Install(
      setup, "raw",
      std::string(kDenied) + "-A PREROUTING -m set --match-set blocked src -g BENCH-DENIED\n");
}

}  // namespace march::bench
