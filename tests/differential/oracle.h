// What becomes of a flow by a rule set, found fast and by nothing of the compiler: a tuple space
// search (Srinivasan, Suri, Varghese, 1999). Rules are grouped by the lengths of their two
// prefixes; in each group a hash of the masked addresses leads to its rules, in order of
// precedence.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "compiler/prove/decision.h"
#include "compiler/space/flow.h"
#include "tests/rulesets/rulesets.h"

namespace march::tests {

class Oracle {
 public:
  // The rules of a policy as PolicyOf writes it: mapping i is rule i.
  explicit Oracle(std::vector<PlainRule> rules);

  prove::Decision Decide(const space::Flow& flow) const;

  // The rules in the order in which they decide.
  const std::vector<std::uint32_t>& order() const { return order_; }
  // The place of a rule in that order.
  std::uint32_t RankOf(std::uint32_t rule) const { return rank_of_[rule]; }

 private:
  struct Ends {
    space::Uint128 source = 0;
    space::Uint128 destination = 0;

    friend bool operator==(const Ends&, const Ends&) = default;
  };
  struct Hash {
    std::size_t operator()(const Ends& ends) const;
  };
  struct Tuple {
    space::Uint128 source_mask = 0;
    space::Uint128 destination_mask = 0;
    std::unordered_map<Ends, std::vector<std::uint32_t>, Hash> ranks;  // ascending
  };

  template <class Visit>
  void ForEachList(const space::Flow& flow, Visit&& visit) const;
  prove::Decision DecideFragment(const space::Flow& flow) const;
  prove::Decision DecidedBy(std::uint32_t rank) const;

  std::vector<PlainRule> rules_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> rank_of_;
  std::vector<Tuple> tuples_;
};

}  // namespace march::tests
