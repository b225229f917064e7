#include "compiler/space/interval_set.h"

#include <catch2/catch.hpp>
#include <cstdint>

namespace march::space {
namespace {

using Set = IntervalSet<std::uint16_t>;

TEST_CASE("equal sets are equal values") {
  CHECK(Set({{5, 9}, {1, 4}}) == Set({{1, 9}}));
  CHECK(Set({{1, 9}, {2, 3}, {9, 12}}) == Set({{1, 12}}));
  CHECK(Set({{1, 3}, {5, 6}}).intervals().size() == 2);
  CHECK(Set({{0, 65535}, {0, 0}, {65535, 65535}}) == Set({{0, 65535}}));
  CHECK(Set({{0, 0}, {0, 0}}).intervals().size() == 1);
  CHECK(Set().empty());
}

TEST_CASE("membership holds at both ends and not beside them") {
  const Set set({{10, 20}, {30, 30}, {65535, 65535}});
  for (const int in : {10, 20, 30, 65535}) CHECK(set.Contains(static_cast<std::uint16_t>(in)));
  for (const int out : {0, 9, 21, 29, 31, 65534}) {
    CHECK_FALSE(set.Contains(static_cast<std::uint16_t>(out)));
  }
}

TEST_CASE("address sets keep the families apart") {
  const AddressSet set = AddressSet::Of(
      {Prefix::Of(*Address::Parse("10.0.0.0"), 9), Prefix::Of(*Address::Parse("10.128.0.0"), 9),
       Prefix::Of(*Address::Parse("::"), 1), Prefix::Of(*Address::Parse("8000::"), 1)});
  CHECK(set.v4.intervals().size() == 1);
  CHECK(set.v6 == AddressSet::Everything().v6);
  CHECK(set.Contains(*Address::Parse("10.255.255.255")));
  CHECK_FALSE(set.Contains(*Address::Parse("11.0.0.0")));
}

}  // namespace
}  // namespace march::space
