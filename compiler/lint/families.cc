#include <algorithm>
#include <string>

#include "compiler/lint/lint.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::lint {

void CheckFamilies(const model::Policy& policy, const ruleset::RuleSet& rules, Diagnostics& out) {
  for (const ruleset::Rule& rule : rules.rules) {
    const auto& protocols = policy.mappings[rule.mapping].protocols;
    if (!protocols) continue;
    const bool v4 = !rule.source->v4.empty() && !rule.destination->v4.empty();
    const bool v6 = !rule.source->v6.empty() && !rule.destination->v6.empty();
    if (v4 == v6) continue;
    const auto names = [&](std::uint8_t protocol) {
      return std::find(protocols->begin(), protocols->end(), protocol) != protocols->end();
    };
    // Both together are the way to write "ping" for every family there is.
    const std::uint8_t protocol = v4 ? space::kIcmpv6 : space::kIcmp;
    if (names(protocol) && !names(v4 ? space::kIcmp : space::kIcmpv6)) {
      out.push_back(MakeDiagnostic(Code::kWrongFamily, rule.place,
                                   "the mapping " + yaml::Quoted(rule.name) + " names " +
                                       space::ProtocolName(protocol) + ", and its ends have " +
                                       (v4 ? "IPv4" : "IPv6") + " addresses only",
                                   v4 ? "IPv4 has icmp; or give both ends IPv6 addresses"
                                      : "IPv6 has icmpv6; or give both ends IPv4 addresses"));
    }
  }
}

}  // namespace march::lint
