#include "compiler/classify/treatments.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "bundle/abi/verdict.h"
#include "bundle/sha256.h"

namespace march::classify {
namespace {

using model::Limit;
using ruleset::Rule;
using ruleset::Treatment;
using space::Uint128;

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

std::uint64_t IdentityOf(const std::string& mapping, const march_limit& limit) {
  const std::uint64_t numbers[] = {limit.unit, limit.rate,      limit.burst,
                                   limit.per,  limit.prefix_v4, limit.prefix_v6};
  std::string text = mapping + "\n";
  for (const std::uint64_t number : numbers) text += std::to_string(number) + " ";
  text.back() = '\n';
  bundle::Sha256 hash;
  hash.Update(text);
  const std::string hex = hash.Hex();
  std::uint64_t identity = 0;
  for (std::size_t i = 0; i < sizeof(identity); ++i) {
    identity |= std::stoull(hex.substr(2 * i, 2), nullptr, 16) << (8 * i);
  }
  return identity;
}

std::uint32_t RefillOf(std::uint64_t rate, std::uint64_t burst) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const std::uint64_t nanoseconds = burst / rate * kSecond + burst % rate * kSecond / rate;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(
      (nanoseconds >> MARCH_LIMIT_TICK_SHIFT) + 2, MARCH_LIMIT_MOST_REFILL));
}

// The nearest to rate * 2^shift * 2^30 / 10^9.
Uint128 SpeedOf(std::uint64_t rate, unsigned shift) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  return ((Uint128{rate} << (shift + MARCH_LIMIT_SPAN_SHIFT)) + kSecond / 2) / kSecond;
}

void SetClock(march_limit& record) {
  record.shift = MARCH_LIMIT_MOST_SHIFT;
  while (SpeedOf(record.rate, record.shift) > MARCH_LIMIT_MOST_SPEED ||
         Uint128{record.burst} << record.shift >= MARCH_LIMIT_BEGINNING) {
    --record.shift;
  }
  record.speed = static_cast<std::uint64_t>(SpeedOf(record.rate, record.shift));
  record.room = record.burst << record.shift;
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
    record.refill = RefillOf(record.rate, record.burst);
    SetClock(record);
    record.counter = counter;
    record.unit = unit;
    record.per = PerOf(limit);
    if (limit.per != Limit::Per::kMapping) {
      record.prefix_v4 = limit.prefix_v4;
      record.prefix_v6 = limit.prefix_v6;
    }
    record.exceed = limit.exceed == Limit::Exceed::kMark ? MARCH_LIMIT_MARK : MARCH_LIMIT_DROP;
    record.identity = IdentityOf(rule.name, record);
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
