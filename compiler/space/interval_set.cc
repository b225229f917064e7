#include "compiler/space/interval_set.h"

#include <utility>

namespace march::space {

AddressSet AddressSet::Of(const std::vector<Prefix>& prefixes) {
  std::vector<Interval<Uint128>> v4;
  std::vector<Interval<Uint128>> v6;
  for (const Prefix& prefix : prefixes) {
    (prefix.address.family == Family::kV4 ? v4 : v6).push_back({prefix.First(), prefix.Last()});
  }
  return {IntervalSet<Uint128>(std::move(v4)), IntervalSet<Uint128>(std::move(v6))};
}

AddressSet AddressSet::Everything() {
  return {IntervalSet<Uint128>({{0, LastOf(Family::kV4)}}),
          IntervalSet<Uint128>({{0, LastOf(Family::kV6)}})};
}

}  // namespace march::space
