#include "tests/differential/oracle.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "bundle/abi/verdict.h"

namespace march::tests {
namespace {

using space::Uint128;

Uint128 MaskOf(const space::Prefix& prefix) {
  const unsigned bits = space::BitsOf(prefix.address.family);
  if (prefix.length == 0) return 0;
  return space::LastOf(prefix.address.family) >> (bits - prefix.length) << (bits - prefix.length);
}

}  // namespace

std::size_t Oracle::Hash::operator()(const Ends& ends) const {
  std::uint64_t hash = 0;
  for (const Uint128 end : {ends.source, ends.destination}) {
    for (const auto half :
         {static_cast<std::uint64_t>(end >> 64), static_cast<std::uint64_t>(end)}) {
      hash = (hash ^ half) * 0x9E3779B97F4A7C15;
      hash ^= hash >> 31;
    }
  }
  return hash;
}

Oracle::Oracle(std::vector<PlainRule> rules)
    : rules_(std::move(rules)), order_(rules_.size()), rank_of_(rules_.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  // Priority, then strictness, then the name, which is the number.
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(-rules_[a].priority, rules_[a].allow, a) <
           std::tuple(-rules_[b].priority, rules_[b].allow, b);
  });
  std::map<std::pair<unsigned, unsigned>, std::size_t> known;
  for (std::uint32_t rank = 0; rank < order_.size(); ++rank) {
    const PlainRule& rule = rules_[order_[rank]];
    rank_of_[order_[rank]] = rank;
    const auto [place, is_new] =
        known.try_emplace({rule.source.length, rule.destination.length}, tuples_.size());
    if (is_new) tuples_.push_back({MaskOf(rule.source), MaskOf(rule.destination), {}});
    tuples_[place->second]
        .ranks[{rule.source.address.value, rule.destination.address.value}]
        .push_back(rank);
  }
}

template <class Visit>
void Oracle::ForEachList(const space::Flow& flow, Visit&& visit) const {
  for (const Tuple& tuple : tuples_) {
    const auto list = tuple.ranks.find(
        {flow.source.value & tuple.source_mask, flow.destination.value & tuple.destination_mask});
    if (list != tuple.ranks.end()) visit(list->second);
  }
}

prove::Decision Oracle::DecidedBy(std::uint32_t rank) const {
  const std::uint32_t rule = order_[rank];
  return prove::Decision::OfMapping(
      rules_[rule].allow ? model::Action::kAllow : model::Action::kDeny, rule);
}

prove::Decision Oracle::Decide(const space::Flow& flow) const {
  if (flow.later_fragment) return DecideFragment(flow);
  std::size_t best = order_.size();
  ForEachList(flow, [&](const std::vector<std::uint32_t>& ranks) {
    for (const std::uint32_t rank : ranks) {
      if (rank >= best) return;
      const PlainRule& rule = rules_[order_[rank]];
      if (rule.protocol == flow.protocol && rule.first_port <= flow.destination_port &&
          flow.destination_port <= rule.last_port) {
        best = rank;
        return;
      }
    }
  });
  if (best < order_.size()) return DecidedBy(static_cast<std::uint32_t>(best));
  return prove::Decision::OfReason(model::Action::kDeny, MARCH_SLOT_DEFAULT);
}

// It passes if the first rule that matches it at every port allows it, and none before that could
// match and denies.
prove::Decision Oracle::DecideFragment(const space::Flow& flow) const {
  std::vector<std::uint32_t> matching;
  ForEachList(flow, [&](const std::vector<std::uint32_t>& ranks) {
    for (const std::uint32_t rank : ranks) {
      if (rules_[order_[rank]].protocol == flow.protocol) matching.push_back(rank);
    }
  });
  if (matching.empty()) {
    return prove::Decision::OfReason(model::Action::kDeny, MARCH_SLOT_DEFAULT);
  }
  std::sort(matching.begin(), matching.end());
  for (const std::uint32_t rank : matching) {
    const PlainRule& rule = rules_[order_[rank]];
    const bool every_port = rule.first_port == 0 && rule.last_port == 0xFFFF;
    if (every_port && (rule.allow || rank == matching.front())) {
      prove::Decision decision = DecidedBy(matching.front());
      decision.action = rule.allow ? model::Action::kAllow : model::Action::kDeny;
      return decision;
    }
    if (!rule.allow) break;
  }
  return prove::Decision::OfReason(model::Action::kDeny, MARCH_SLOT_FRAGMENT);
}

}  // namespace march::tests
