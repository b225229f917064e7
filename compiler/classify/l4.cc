#include "compiler/classify/l4.h"

#include <algorithm>
#include <limits>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "compiler/classify/runs.h"
#include "compiler/classify/sweep.h"

namespace march::classify {
namespace {

constexpr std::uint32_t kNoRule = std::numeric_limits<std::uint32_t>::max();

std::uint32_t ActionOf(model::Action action) {
  return action == model::Action::kAllow ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY;
}

// A stretch of keys [start, next stretch's start) that one rule decides, and which rule under audit
// comes before it.
struct Stretch {
  std::uint32_t start = 0;
  std::uint32_t rule = kNoRule;
  std::uint32_t audit = kNoRule;
};

// Cuts [0, MARCH_L4_FRAGMENT) by the first rule that matches.
std::vector<Stretch> FirstMatches(const ruleset::RuleSet& rules, const RuleIds& ids) {
  Sweep<std::uint32_t> sweep(MARCH_L4_FRAGMENT - 1);
  for (const std::uint32_t id : ids) {
    for (const auto& part : rules.rules[id].l4.intervals()) sweep.Add(id, part.first, part.last);
  }
  std::vector<Stretch> stretches;
  sweep.Run([&](std::uint32_t start, const RuleIds& active) {
    // Rules are in order of precedence.
    const auto decides = [&](std::uint32_t id) { return !rules.rules[id].audit; };
    const auto decider = std::find_if(active.begin(), active.end(), decides);
    const std::uint32_t rule = decider == active.end() ? kNoRule : *decider;
    const std::uint32_t audit = decider == active.begin() ? kNoRule : active.front();
    if (stretches.empty() || stretches.back().rule != rule || stretches.back().audit != audit) {
      stretches.push_back({start, rule, audit});
    }
  });
  return stretches;
}

}  // namespace

std::uint32_t VerdictOf(const ruleset::Rule& rule) {
  return MARCH_VERDICT(ActionOf(rule.action), MARCH_SLOT_FIRST_MAPPING + rule.mapping);
}

std::uint32_t DefaultVerdict(const ruleset::RuleSet& rules) {
  return MARCH_VERDICT(ActionOf(rules.default_action), MARCH_SLOT_DEFAULT);
}

void Prune(const ruleset::RuleSet& rules, RuleIds& ids) {
  const auto matches_all = [&](std::uint32_t id) {
    const auto& parts = rules.rules[id].l4.intervals();
    return !rules.rules[id].audit && parts.size() == 1 && parts[0].first == 0 &&
           parts[0].last == MARCH_L4_FRAGMENT - 1;
  };
  const auto last = std::find_if(ids.begin(), ids.end(), matches_all);
  if (last != ids.end()) ids.erase(last + 1, ids.end());
}

std::uint32_t AuditedVerdicts::Add(std::uint32_t verdict, std::uint32_t audit_slot) {
  const std::uint64_t word = std::uint64_t{audit_slot} << 32 | verdict;
  const auto [entry, added] = numbers_.try_emplace(word, static_cast<std::uint32_t>(words_.size()));
  if (added) words_.push_back(word);
  return MARCH_VERDICT(MARCH_VERDICT_AUDITED, entry->second);
}

std::vector<std::uint64_t> BuildL4Run(const ruleset::RuleSet& rules, const RuleIds& ids,
                                      AuditedVerdicts& audited) {
  const auto verdict_of = [&](std::uint32_t rule) {
    return rule == kNoRule ? DefaultVerdict(rules) : VerdictOf(rules.rules[rule]);
  };
  std::vector<std::uint64_t> run;
  const auto add = [&](std::uint32_t key, std::uint32_t verdict, std::uint32_t audit) {
    if (audit != kNoRule) {
      verdict = audited.Add(verdict, MARCH_SLOT_FIRST_MAPPING + rules.rules[audit].mapping);
    }
    if (run.empty() || static_cast<std::uint32_t>(run.back()) != verdict) {
      run.push_back(PackedEntry(key, verdict));
    }
  };
  const std::vector<Stretch> stretches = FirstMatches(rules, ids);
  for (const Stretch& stretch : stretches) {
    add(stretch.start, verdict_of(stretch.rule), stretch.audit);
  }

  std::size_t at = 0;  // the stretch that covers the first key of the protocol
  for (std::uint32_t protocol = 0; protocol <= 0xFF; ++protocol) {
    const std::uint32_t last = MARCH_L4_KEY(protocol, 0xFFFFU);
    std::uint32_t first_rule = stretches[at].rule;
    const std::uint32_t audit = stretches[at].audit;
    bool one_rule = true;
    bool one_audit = true;
    bool all_allow = true;
    for (;; ++at) {
      const std::uint32_t rule = stretches[at].rule;
      one_rule = one_rule && rule == first_rule;
      one_audit = one_audit && stretches[at].audit == audit;
      all_allow = all_allow && MARCH_VERDICT_ACTION(verdict_of(rule)) == MARCH_ACTION_ALLOW;
      first_rule = std::min(first_rule, rule);
      if (at + 1 == stretches.size() || stretches[at + 1].start > last) break;
    }
    // The stretch that ends here may also cover the next protocol's first key.
    if (at + 1 < stretches.size() && stretches[at + 1].start == last + 1) ++at;
    add(MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0U),
        one_rule || all_allow ? verdict_of(first_rule)
                              : MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FRAGMENT),
        one_audit ? audit : kNoRule);
  }
  return run;
}

}  // namespace march::classify
