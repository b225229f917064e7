#include "bench/stateful/block_list.h"

#include <random>

namespace march::bench {
namespace {

constexpr std::uint64_t kSeed = 13;

using space::Address;
using space::Family;
using space::Prefix;
using space::Uint128;

Prefix ClientOf(const FlowSpace& space, std::uint32_t number) {
  const std::uint32_t host = BENCH_HOST(number, space.source_bits);
  const Uint128 address = space.family == Family::kV4 ? Uint128{BENCH_CLIENTS4 + host}
                                                      : (Uint128{BENCH_CLIENTS6} << 64) + host;
  return {{space.family, address}, space::BitsOf(space.family)};
}

// Apart from all clients and from one another: 24 to 32 bits of 64.0.0.0/4, 48 to 64 of 2400::/8.
Prefix Stranger(Family family, std::mt19937_64& random, std::uint32_t number) {
  if (family == Family::kV4) {
    const std::uint64_t address = 0x40000000U + ((number & 0xFFFFFU) << 8) + (random() & 0xFF);
    return Prefix::Of({family, address}, static_cast<unsigned>(24 + random() % 9));
  }
  const std::uint64_t address =
      (0x24ULL << 56) + (std::uint64_t{number} << 16) + (random() & 0xFFFF);
  return Prefix::Of({family, Uint128{address} << 64}, static_cast<unsigned>(48 + random() % 17));
}

}  // namespace

std::vector<std::string> MakeBlockList(const FlowSpace& space, std::size_t count,
                                       bool with_clients) {
  std::vector<std::string> prefixes;
  for (std::uint32_t i = 0; with_clients && i < space.clients(); ++i) {
    prefixes.push_back(ClientOf(space, i).ToString());
  }
  std::mt19937_64 random(kSeed);
  for (std::uint32_t number = 0; prefixes.size() < count; ++number) {
    prefixes.push_back(Stranger(space.family, random, number).ToString());
  }
  return prefixes;
}

}  // namespace march::bench
