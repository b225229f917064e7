#include "compiler/classify/treatments.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "bundle/abi/verdict.h"
#include "bundle/limit.h"

namespace march::classify {
namespace {

using model::Limit;
using ruleset::Rule;
using ruleset::Treatment;

static_assert(sizeof(march_limit) == MARCH_LINE_BYTES);
static_assert(model::kMostRate == MARCH_LIMIT_MOST);

bool IsSomething(const Treatment& treatment) {
  return !(treatment == Treatment{});
}

std::uint64_t WordOf(const Treatment& treatment) {
  return (treatment.stateless ? MARCH_TREATMENT_STATELESS : 0U) |
         (treatment.reject ? MARCH_TREATMENT_REJECT : 0U);
}

std::uint8_t PerOf(const Limit& limit) {
  switch (limit.per) {
    case Limit::Per::kMapping:
      break;
    case Limit::Per::kSource:
      return MARCH_LIMIT_PER_SOURCE;
    case Limit::Per::kDestination:
      return MARCH_LIMIT_PER_DESTINATION;
  }
  return MARCH_LIMIT_PER_MAPPING;
}

// One for each unit, in their order.
std::vector<march_limit> RecordsOf(const Rule& rule, std::uint32_t counter) {
  const Limit& limit = *rule.treatment.limit;
  std::vector<march_limit> records;
  const auto add = [&](std::uint8_t unit, const std::optional<std::uint64_t>& rate,
                       std::uint64_t least) {
    if (!rate) return;
    march_limit record{};
    record.rate = *rate;
    record.burst = limit.burst.value_or(std::max(*rate, least));
    record.counter = counter;
    record.unit = unit;
    record.per = PerOf(limit);
    if (limit.per != Limit::Per::kMapping) {
      record.prefix_v4 = limit.prefix_v4;
      record.prefix_v6 = limit.prefix_v6;
    }
    record.exceed = limit.exceed == Limit::Exceed::kMark ? MARCH_LIMIT_MARK : MARCH_LIMIT_DROP;
    bundle::CompleteLimit(rule.name, record);
    records.push_back(record);
  };
  add(MARCH_LIMIT_PACKETS, limit.packets, 1);
  add(MARCH_LIMIT_BYTES, limit.bytes, MARCH_LIMIT_LEAST_BYTES);
  add(MARCH_LIMIT_CONNECTIONS, limit.connections, 1);
  for (march_limit& record : records) record.more = &record != &records.back() ? 1 : 0;
  return records;
}

}  // namespace

std::uint8_t FeaturesOf(const ruleset::RuleSet& set, const OrderedRules& rules) {
  std::uint32_t features = 0;
  const auto add = [&](model::Action action, const Treatment& treatment) {
    if (action == model::Action::kAllow && !treatment.stateless) features |= MARCH_FEATURE_STATEFUL;
    if (IsSomething(treatment)) features |= MARCH_FEATURE_TREATMENTS;
    if (treatment.limit) features |= MARCH_FEATURE_LIMITS;
    if (treatment.reject) features |= MARCH_FEATURE_REJECTS;
  };
  add(set.default_action, set.default_treatment);
  for (const Rule* rule : rules) {
    if (!rule->audit) add(rule->action, rule->treatment);
  }
  return static_cast<std::uint8_t>(features);
}

void AppendTreatments(const ruleset::RuleSet& set, const OrderedRules& rules, Lines& lines,
                      march_tables_header& header) {
  if ((FeaturesOf(set, rules) & MARCH_FEATURE_TREATMENTS) == 0) return;
  Words words = {WordOf(set.default_treatment)};
  Words limits;
  auto counter = static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + rules.size());
  for (const Rule* rule : rules) {
    std::uint64_t word = WordOf(rule->treatment);
    if (rule->treatment.limit) {
      word |= MARCH_TREATMENT_OF_LIMIT(limits.size() / MARCH_LINE_WORDS);
      for (const march_limit& record : RecordsOf(*rule, counter++)) {
        std::array<std::uint64_t, MARCH_LINE_WORDS> line{};
        std::memcpy(line.data(), &record, sizeof(record));
        limits.insert(limits.end(), line.begin(), line.end());
      }
    }
    words.push_back(word);
  }
  header.treatments = lines.Append(words);
  header.limit_count = static_cast<std::uint32_t>(limits.size() / MARCH_LINE_WORDS);
  if (header.limit_count != 0) header.limits = lines.AppendLines(limits);
}

}  // namespace march::classify
