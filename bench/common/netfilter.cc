#include "bench/common/netfilter.h"

#include <nlohmann/json.hpp>

#include "bench/common/fail.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr double kLimitSeconds = 60;

// All that a command says.
std::string OutputOf(const Namespace& place, const Workspace& workspace,
                     const std::string& command) {
  const Namespace::Inside here(place);
  const std::string path = workspace.path() + "/output";
  const Finished said = RunProgram({"sh", "-c", command + " > " + path}, kLimitSeconds);
  if (!said.ok) FailWith(said.problem);
  return ReadFile(path);
}

}  // namespace

Finished LoadNft(const Namespace& place, const Workspace& workspace, const std::string& script) {
  if (FindProgram("nft").empty()) return {false, "nft is not installed (Debian: nftables)", 0};
  const std::string path = workspace.path() + "/script.nft";
  WriteFile(path, script);
  const Namespace::Inside here(place);
  return RunProgram({"nft", "-f", path}, kLimitSeconds);
}

Finished LoadIptables(const Namespace& place, const Workspace& workspace,
                      const std::string& iptables, const std::string& script) {
  if (FindProgram(iptables).empty()) {
    return {false, iptables + " is not installed (Debian: iptables)", 0};
  }
  const std::string path = workspace.path() + "/script.iptables";
  WriteFile(path, script);
  const Namespace::Inside here(place);
  return RunProgram({iptables + "-restore"}, kLimitSeconds, path);
}

std::uint64_t NftCounter(const Namespace& place, const Workspace& workspace,
                         const std::string& table, const std::string& chain) {
  const json text =
      json::parse(OutputOf(place, workspace, "nft -j list chain " + table + " " + chain));
  for (const json& item : text["nftables"]) {
    if (!item.contains("rule")) continue;
    for (const json& part : item["rule"]["expr"]) {
      if (part.contains("counter")) return part["counter"]["packets"].get<std::uint64_t>();
    }
  }
  FailWith("nft shows no counter in the chain " + chain);
}

std::uint64_t IptablesCounter(const Namespace& place, const Workspace& workspace,
                              const std::string& iptables, const std::string& table,
                              const std::string& chain) {
  const std::string text = OutputOf(place, workspace, iptables + "-save -c -t " + table);
  // "[PACKETS:BYTES] -A CHAIN ..."
  const std::size_t rule = text.find("] -A " + chain + " ");
  if (rule == std::string::npos) FailWith(iptables + "-save shows no rule in the chain " + chain);
  return std::stoull(text.substr(text.rfind('[', rule) + 1));
}

std::string IptablesProgram(bool v4, IptablesBackend backend) {
  return std::string(v4 ? "iptables" : "ip6tables") +
         (backend == IptablesBackend::kLegacy ? "-legacy" : "-nft");
}

}  // namespace march::bench
