// Rules as nftables and iptables have them.
#pragma once

#include <optional>
#include <string>

#include "bench/fastpath/policy.h"

namespace march::bench {

// Where nftables looks at a packet.
enum class NftPlace {
  kIngress,     // netdev family: before the stack, the earliest there is
  kPrerouting,  // inet family, priority raw: before routing and connection tracking
  kForward,     // inet family, priority filter: where firewalls usually filter
};

enum class NftForm {
  kLinear,  // one rule a mapping, in order of precedence
  kSet,     // concatenated intervals in sets, looked up in one rule each; policies of allows only
  kMap,     // a verdict map over the destination, then the rules of that destination alone
};

// A script for `nft -f`; `interface` is where packets come in. Denied packets are counted by the
// counter of chain "denied" in table "bench". None where the form cannot say the same.
std::optional<std::string> NftScript(const Policy& policy, NftPlace place, NftForm form,
                                     const std::string& interface);

// Input of iptables-restore or ip6tables-restore: a rule a mapping in FORWARD or in raw's
// PREROUTING, ending in a chain BENCH-DENIED of one rule that drops.
std::string IptablesScript(const Policy& policy, bool raw);

}  // namespace march::bench
