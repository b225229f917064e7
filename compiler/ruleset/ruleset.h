// The policy as ordered match/act rules: design section 2's semantics turned into one total order,
// so that the first rule that matches decides.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "compiler/model/policy.h"
#include "compiler/space/interval_set.h"

namespace march::ruleset {

// A layer-4 key (bundle/abi/tables.h): protocol and destination port, or the type and code of ICMP;
// never a fragment key.
using L4Set = space::IntervalSet<std::uint32_t>;

// The keys of a mapping's protocols with its ports or ICMP types.
L4Set L4Of(const model::Mapping& mapping);
space::IntervalSet<std::uint16_t> SourcePortsOf(const model::Mapping& mapping);

// What is done with a packet beyond allowing or denying it; nothing by default, nor under audit.
struct Treatment {
  bool stateless = false;             // replies to it are judged by themselves
  bool reject = false;                // deny, with an answer
  std::optional<model::Limit> limit;  // above it, packets do not pass as others do

  friend bool operator==(const Treatment&, const Treatment&) = default;
};

// `stateful: false` in the text of a rule's attributes.
inline constexpr std::string_view kStatelessAttribute = "stateful false\n";

struct Rule {
  std::uint32_t mapping = 0;  // index into Policy::mappings, and so its counter slot
  std::string name;
  SourceRange place;
  model::Action action = model::Action::kDeny;
  std::int32_t priority = 0;
  // Shared between rules that name the same services.
  std::shared_ptr<const space::AddressSet> source;
  std::shared_ptr<const space::AddressSet> destination;
  L4Set l4;
  space::IntervalSet<std::uint16_t> source_ports;
  // The attributes of the mapping as one text, equal exactly when they say the same; "" for none.
  std::string attributes;
  bool audit = false;     // decides nothing
  Treatment treatment{};  // beyond its action
};

struct RuleSet {
  model::Action default_action = model::Action::kDeny;
  // Higher priority first, then stricter action, then name in byte order.
  std::vector<Rule> rules;
  std::uint32_t mappings = 0;  // how many counter slots
  // Mappings under audit, in the same order: what they would decide is counted, and nothing else.
  std::vector<Rule> audits = {};
  // As in Rule, of what no rule matches.
  std::string default_attributes = {};
  Treatment default_treatment = {};
};

// Errors: kTooManyMappings.
Outcome<RuleSet> OrderRules(const model::Policy& policy);

// Whether `a` decides where both match, audits among the rest.
bool Precedes(const Rule& a, const Rule& b);

// Restores the order of `rules` after a change of priorities or actions.
void SortByPrecedence(RuleSet& rules);

// For `--until rules --dump`.
std::string Dump(const RuleSet& rules);

}  // namespace march::ruleset
