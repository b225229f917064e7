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

AddressSet Union(const AddressSet& a, const AddressSet& b) {
  return {Union(a.v4, b.v4), Union(a.v6, b.v6)};
}

AddressSet Subtract(const AddressSet& a, const AddressSet& b) {
  return {Subtract(a.v4, b.v4), Subtract(a.v6, b.v6)};
}

}  // namespace march::space
