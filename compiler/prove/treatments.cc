#include "compiler/prove/treatments.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <sstream>
#include <string_view>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "bundle/sha256.h"

namespace march::prove {
namespace {

using model::Limit;
using space::Uint128;

std::uint64_t IdentityOf(const std::string& name, const march_limit& limit) {
  std::ostringstream text;
  text << name << "\n"
       << int{limit.unit} << " " << limit.rate << " " << limit.burst << " " << int{limit.per} << " "
       << int{limit.prefix_v4} << " " << int{limit.prefix_v6} << "\n";
  bundle::Sha256 hash;
  hash.Update(text.str());
  const std::string hex = hash.Hex();
  std::uint64_t identity = 0;
  // The last of the eight bytes is the highest.
  for (std::size_t at = 16; at >= 2; at -= 2) {
    unsigned byte = 0;
    std::from_chars(hex.data() + at - 2, hex.data() + at, byte, 16);
    identity = identity << 8 | byte;
  }
  return identity;
}

// Of what happens in a second, in the second's 10^9 parts.
std::uint64_t Nearest(Uint128 units) {
  return static_cast<std::uint64_t>((units + 500'000'000) / 1'000'000'000);
}

std::vector<march_limit> LimitsOf(const model::Mapping& mapping, std::uint32_t counter) {
  const Limit& asked = *mapping.limit;
  std::vector<march_limit> limits;
  const std::optional<std::uint64_t> rates[] = {asked.packets, asked.bytes, asked.connections};
  for (std::uint8_t unit = MARCH_LIMIT_PACKETS; unit <= MARCH_LIMIT_CONNECTIONS; ++unit) {
    if (!rates[unit]) continue;
    march_limit limit{};
    limit.unit = unit;
    limit.rate = *rates[unit];
    limit.burst = limit.rate;
    if (unit == MARCH_LIMIT_BYTES && limit.burst < MARCH_LIMIT_LEAST_BYTES) {
      limit.burst = MARCH_LIMIT_LEAST_BYTES;
    }
    if (asked.burst) limit.burst = *asked.burst;
    const Uint128 ticks =
        (Uint128{limit.burst} * 1'000'000'000 / limit.rate >> MARCH_LIMIT_TICK_SHIFT) + 2;
    limit.refill = ticks > MARCH_LIMIT_MOST_REFILL ? MARCH_LIMIT_MOST_REFILL
                                                   : static_cast<std::uint32_t>(ticks);
    // Finer marks than these would be too many for the clock, or too many for what it begins with.
    Uint128 units = Uint128{limit.rate} << MARCH_LIMIT_SPAN_SHIFT;
    for (Uint128 room = limit.burst; limit.shift < MARCH_LIMIT_MOST_SHIFT; ++limit.shift) {
      if (Nearest(2 * units) > MARCH_LIMIT_MOST_SPEED || 2 * room >= MARCH_LIMIT_BEGINNING) break;
      units *= 2;
      room *= 2;
    }
    limit.speed = Nearest(units);
    limit.room = limit.burst << limit.shift;
    limit.counter = counter;
    if (asked.per == Limit::Per::kSource) limit.per = MARCH_LIMIT_PER_SOURCE;
    if (asked.per == Limit::Per::kDestination) limit.per = MARCH_LIMIT_PER_DESTINATION;
    if (limit.per != MARCH_LIMIT_PER_MAPPING) {
      limit.prefix_v4 = asked.prefix_v4;
      limit.prefix_v6 = asked.prefix_v6;
    }
    limit.exceed = asked.exceed == Limit::Exceed::kDrop ? MARCH_LIMIT_DROP : MARCH_LIMIT_MARK;
    limit.identity = IdentityOf(mapping.name, limit);
    if (!limits.empty()) limits.back().more = 1;
    limits.push_back(limit);
  }
  return limits;
}

// How the tables' word for a slot differs from what the policy asks; "" if it does not.
std::string Difference(const PlainTreatment& expected, std::uint64_t word,
                       const TableReader& tables, Fault& fault) {
  const auto says = [&](std::uint64_t bit) { return (word & bit) != 0; };
  if (says(MARCH_TREATMENT_STATELESS) != expected.stateless) {
    return expected.stateless ? "make flows of its packets" : "make no flows of its packets";
  }
  if (says(MARCH_TREATMENT_REJECT) != expected.reject) {
    return expected.reject ? "give no answer to its packets" : "answer its packets";
  }
  const std::uint64_t number = MARCH_TREATMENT_LIMIT(word);
  if (word != ((number << 8) | (word & (MARCH_TREATMENT_STATELESS | MARCH_TREATMENT_REJECT)))) {
    return "ask something unknown of its packets";
  }
  if (number == 0) return expected.limits.empty() ? "" : "do not limit it";
  if (expected.limits.empty()) return "limit it";
  for (std::size_t i = 0; i < expected.limits.size(); ++i) {
    const march_limit limit = tables.Limit(number - 1 + i, fault);
    if (std::memcmp(&limit, &expected.limits[i], sizeof(limit)) != 0) {
      return "limit it in another way";
    }
  }
  return "";
}

}  // namespace

std::vector<PlainTreatment> TreatmentsOf(const PlainPolicy& policy) {
  const model::Policy& all = policy.policy();
  std::vector<PlainTreatment> treatments(1 + policy.mappings().size());
  treatments[0].stateless = policy.default_allow() && !all.default_stateful;
  auto counter = static_cast<std::uint32_t>(MARCH_SLOT_DEFAULT + treatments.size());
  for (std::size_t i = 1; i < treatments.size(); ++i) {
    const PlainMapping& plain = policy.mappings()[i - 1];
    const model::Mapping& mapping = all.mappings[plain.mapping];
    if (plain.audit) continue;
    treatments[i].stateless = plain.allow && !mapping.stateful;
    treatments[i].reject = mapping.action == model::Action::kReject;
    if (mapping.limit) treatments[i].limits = LimitsOf(mapping, counter++);
  }
  return treatments;
}

std::uint8_t FeaturesOf(const PlainPolicy& policy, const std::vector<PlainTreatment>& treatments) {
  std::uint32_t features = 0;
  for (std::size_t i = 0; i < treatments.size(); ++i) {
    const PlainTreatment& treatment = treatments[i];
    const bool allows = i == 0 ? policy.default_allow()
                               : policy.mappings()[i - 1].allow && !policy.mappings()[i - 1].audit;
    if (allows && !treatment.stateless) features |= MARCH_FEATURE_STATEFUL;
    if (treatment.reject) features |= MARCH_FEATURE_REJECTS | MARCH_FEATURE_TREATMENTS;
    if (treatment.stateless) features |= MARCH_FEATURE_TREATMENTS;
    if (!treatment.limits.empty()) features |= MARCH_FEATURE_LIMITS | MARCH_FEATURE_TREATMENTS;
  }
  return static_cast<std::uint8_t>(features);
}

std::optional<TreatmentFinding> CompareTreatments(const std::vector<PlainTreatment>& treatments,
                                                  const TableReader& tables, Fault& fault) {
  for (std::uint32_t i = 0; i < treatments.size(); ++i) {
    const std::uint32_t slot = MARCH_SLOT_DEFAULT + i;
    std::string what = Difference(treatments[i], tables.TreatmentOf(slot, fault), tables, fault);
    if (fault.raised()) return std::nullopt;
    if (!what.empty()) return TreatmentFinding{slot, std::move(what)};
  }
  return std::nullopt;
}

}  // namespace march::prove
