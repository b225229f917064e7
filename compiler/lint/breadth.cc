#include <string>

#include "bundle/abi/tables.h"
#include "compiler/lint/lint.h"
#include "compiler/ruleset/regions.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::lint {
namespace {

bool HasEvery(const ruleset::Rule& rule, std::uint8_t protocol) {
  return IsSubset(space::L4Set({{MARCH_L4_KEY(protocol, 0U), MARCH_L4_KEY(protocol, 0xFFFFU)}}),
                  rule.l4);
}

// Beyond its match; how its replies pass narrows nothing.
bool AsksForMore(const ruleset::Rule& rule) {
  return !rule.attributes.empty() && rule.attributes != ruleset::kStatelessAttribute;
}

}  // namespace

void CheckBreadth(const ruleset::RuleSet& rules, Diagnostics& out) {
  for (const ruleset::Rule& rule : rules.rules) {
    if (rule.action != model::Action::kAllow || AsksForMore(rule)) continue;
    for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
      const space::IntervalSet<space::Uint128> all({{0, LastOf(family)}});
      if (!(rule.source->In(family) == all) || !(rule.destination->In(family) == all)) continue;
      const bool tcp = HasEvery(rule, space::kTcp);
      if (!tcp && !HasEvery(rule, space::kUdp)) continue;
      out.push_back(MakeDiagnostic(Code::kOverBroad, rule.place,
                                   "the mapping " + yaml::Quoted(rule.name) +
                                       " lets every address reach every address on every port of " +
                                       (tcp ? "tcp" : "udp"),
                                   "name services in \"from\" or \"to\", or give it ports"));
      break;
    }
  }
}

}  // namespace march::lint
