// Rule sets as operators have them, of any size, and traffic that meets them: for measuring, and
// for holding the engines against each other at sizes that random policies do not reach. The same
// seed gives the same rules and the same traffic everywhere.
//
// The styles follow what published studies of filter sets found (Gupta and McKeown 1999; Taylor and
// Turner, ClassBench, 2005): few distinct addresses in many rules, prefixes that nest a few levels
// deep, a skewed popularity, exact ports and a few ranges; in access lists mostly wildcards on one
// side, in firewalls on both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/space/address.h"
#include "tests/random/random.h"

namespace march::tests {

enum class Style {
  kMesh,      // services that talk to services: both ends known
  kAcl,       // any or a network to a server; nested networks
  kFirewall,  // wildcards on either side, port ranges, priorities, denies among allows
  kChain,     // a host's chains: mostly any source, few networks, many ports
};
inline constexpr Style kStyles[] = {Style::kMesh, Style::kAcl, Style::kFirewall, Style::kChain};
std::string_view NameOf(Style style);

// One mapping: a prefix at either end; length 0 is any.
struct PlainRule {
  space::Prefix source;
  space::Prefix destination;
  std::uint8_t protocol = 0;
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0xFFFF;
  bool allow = true;
  std::int32_t priority = 0;
};

struct RulesetOptions {
  Style style = Style::kMesh;
  space::Family family = space::Family::kV4;
  std::uint32_t rules = 0;
  std::uint64_t seed = 1;
};

// In no particular order; no two are equal.
std::vector<PlainRule> MakeRuleset(const RulesetOptions& options);

// The same as the texts of a policy, of some thousand mappings each: one service a distinct prefix,
// one mapping a rule ("r0000012"), default deny.
std::vector<std::string> PolicyOf(const std::vector<PlainRule>& rules);

enum class Traffic {
  kFirst,    // all for the first rule in precedence
  kLast,     // all for the last
  kDefault,  // from known sources to known destinations, at ports that hardly any rule has
  kUniform,  // every rule as often as every other
  kZipf,     // rule k in proportion to 1/k
};
inline constexpr Traffic kTraffics[] = {Traffic::kFirst, Traffic::kLast, Traffic::kDefault,
                                        Traffic::kUniform, Traffic::kZipf};
std::string_view NameOf(Traffic traffic);

struct Packet {
  space::Uint128 source = 0;
  space::Uint128 destination = 0;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

// `count` packets that match what their rule says (another may come before it). `rules` are not
// empty, and in order of precedence for kFirst and kLast.
std::vector<Packet> MakeTraffic(const std::vector<PlainRule>& rules, Traffic traffic,
                                std::size_t count, std::uint64_t seed);

}  // namespace march::tests
