// nftables and iptables inside a namespace.
#pragma once

#include <cstdint>
#include <string>

#include "bench/common/network.h"
#include "bench/common/process.h"
#include "bench/common/workspace.h"

namespace march::bench {

// Loads a script with `nft -f`, or with an iptables-restore.
Finished LoadNft(const Namespace& place, const Workspace& workspace, const std::string& script);
Finished LoadIptables(const Namespace& place, const Workspace& workspace,
                      const std::string& iptables, const std::string& script);

// Packets in the first counter of a chain. `table` is "FAMILY NAME".
std::uint64_t NftCounter(const Namespace& place, const Workspace& workspace,
                         const std::string& table, const std::string& chain);

// Packets that met the first rule of a chain. `iptables` is the program, "ip6tables-legacy" say.
std::uint64_t IptablesCounter(const Namespace& place, const Workspace& workspace,
                              const std::string& iptables, const std::string& table,
                              const std::string& chain);

// "iptables-legacy", "ip6tables-nft", ...
enum class IptablesBackend { kLegacy, kNft };
std::string IptablesProgram(bool v4, IptablesBackend backend);

}  // namespace march::bench
