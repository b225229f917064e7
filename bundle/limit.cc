#include "bundle/limit.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "bundle/sha256.h"

namespace march::bundle {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t IdentityOf(std::string_view name, const march_limit& limit) {
  const std::uint64_t numbers[] = {limit.unit, limit.rate,      limit.burst,
                                   limit.per,  limit.prefix_v4, limit.prefix_v6};
  std::string text = std::string(name) + "\n";
  for (const std::uint64_t number : numbers) text += std::to_string(number) + " ";
  text.back() = '\n';
  Sha256 hash;
  hash.Update(text);
  const std::string hex = hash.Hex();
  std::uint64_t identity = 0;
  for (std::size_t i = 0; i < sizeof(identity); ++i) {
    identity |= std::stoull(hex.substr(2 * i, 2), nullptr, 16) << (8 * i);
  }
  return identity;
}

std::uint32_t RefillOf(std::uint64_t rate, std::uint64_t burst) {
  const std::uint64_t nanoseconds = burst / rate * kSecond + burst % rate * kSecond / rate;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(
      (nanoseconds >> MARCH_LIMIT_TICK_SHIFT) + 2, MARCH_LIMIT_MOST_REFILL));
}

// The nearest to rate * 2^shift * 2^30 / 10^9.
Uint128 SpeedOf(std::uint64_t rate, unsigned shift) {
  return ((Uint128{rate} << (shift + MARCH_LIMIT_SPAN_SHIFT)) + kSecond / 2) / kSecond;
}

}  // namespace

void CompleteLimit(std::string_view name, march_limit& limit) {
  limit.shift = MARCH_LIMIT_MOST_SHIFT;
  while (SpeedOf(limit.rate, limit.shift) > MARCH_LIMIT_MOST_SPEED ||
         Uint128{limit.burst} << limit.shift >= MARCH_LIMIT_BEGINNING) {
    --limit.shift;
  }
  limit.speed = static_cast<std::uint64_t>(SpeedOf(limit.rate, limit.shift));
  limit.room = limit.burst << limit.shift;
  limit.refill = RefillOf(limit.rate, limit.burst);
  limit.identity = IdentityOf(name, limit);
}

}  // namespace march::bundle
