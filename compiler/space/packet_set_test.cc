// The algebra of packet sets, held against brute force over a small universe.
#include "compiler/space/packet_set.h"

#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <set>
#include <tuple>

#include "bundle/abi/tables.h"
#include "compiler/space/protocol.h"

namespace march::space {
namespace {

constexpr Uint128 kLastAddress = 5;

// Every packet that the random sets below can tell apart, and each only once.
std::vector<Flow> Universe() {
  std::vector<Flow> flows;
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (Uint128 source = 0; source <= kLastAddress; ++source) {
      for (Uint128 destination = 0; destination <= kLastAddress; ++destination) {
        for (const std::uint8_t protocol : {kTcp, kIcmp, std::uint8_t{47}}) {
          for (std::uint16_t detail = 0; detail <= 3; ++detail) {
            for (std::uint16_t port = 0; port <= 2; ++port) {
              if (!HasPorts(protocol) && port > 0) continue;
              if (!HasPorts(protocol) && !IsIcmp(protocol) && detail > 0) continue;
              Flow flow{protocol, {family, source}, {family, destination}, port, 0, 0, 0, false};
              if (protocol != 47) flow.SetDetail(detail);
              flows.push_back(flow);
            }
          }
        }
      }
    }
  }
  return flows;
}

const std::vector<Flow>& Everyone() {
  static const std::vector<Flow> flows = Universe();
  return flows;
}

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  unsigned Below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }

  template <class T>
  IntervalSet<T> Set(unsigned last) {
    std::vector<Interval<T>> parts;
    for (unsigned i = 0; i <= Below(2); ++i) {
      const unsigned a = Below(last + 1);
      const unsigned b = Below(last + 1);
      parts.push_back({static_cast<T>(std::min(a, b)), static_cast<T>(std::max(a, b))});
    }
    return IntervalSet<T>(std::move(parts));
  }

  PacketSet Simple() {
    std::vector<Interval<std::uint32_t>> l4;
    bool only_tcp = true;
    for (const std::uint8_t protocol : {kTcp, kIcmp, std::uint8_t{47}}) {
      if (Below(3) == 0) continue;
      only_tcp &= protocol == kTcp;
      if (protocol == 47) {
        l4.push_back({MARCH_L4_KEY(47U, 0U), MARCH_L4_KEY(47U, 0xFFFFU)});
        continue;
      }
      const auto ports = Set<std::uint16_t>(3);
      for (const auto& part : ports.intervals()) {
        l4.push_back({MARCH_L4_KEY(protocol, std::uint32_t{part.first}),
                      MARCH_L4_KEY(protocol, std::uint32_t{part.last})});
      }
    }
    AddressSet ends[2];
    for (AddressSet& end : ends) {
      if (Below(4) > 0) end.v4 = Set<Uint128>(kLastAddress);
      if (Below(4) > 0) end.v6 = Set<Uint128>(kLastAddress);
    }
    return PacketSet::Of(ends[0], ends[1], L4Set(std::move(l4)),
                         only_tcp && Below(2) == 0 ? Set<std::uint16_t>(2) : EveryPort());
  }

 private:
  std::mt19937 random_;
};

using Members = std::set<std::size_t>;

Members MembersOf(const PacketSet& set) {
  Members members;
  for (std::size_t i = 0; i < Everyone().size(); ++i) {
    if (set.Contains(Everyone()[i])) members.insert(i);
  }
  return members;
}

void CheckDisjoint(const PacketSet& set) {
  for (std::size_t i = 0; i < set.products().size(); ++i) {
    CHECK_FALSE(set.products()[i].empty());
    for (std::size_t j = i + 1; j < set.products().size(); ++j) {
      CHECK_FALSE(Overlaps(set.products()[i], set.products()[j]));
    }
  }
}

// The part of the universe that sets of Maker's may hold although they end beyond it.
PacketSet Small() {
  const AddressSet addresses{IntervalSet<Uint128>({{0, kLastAddress}}),
                             IntervalSet<Uint128>({{0, kLastAddress}})};
  const L4Set l4({{MARCH_L4_KEY(kTcp, 0U), MARCH_L4_KEY(kTcp, 3U)},
                  {MARCH_L4_KEY(kIcmp, 0U), MARCH_L4_KEY(kIcmp, 3U)},
                  {MARCH_L4_KEY(47U, 0U), MARCH_L4_KEY(47U, 0xFFFFU)}});
  PacketSet small = PacketSet::Of(addresses, addresses, l4, EveryPort());
  const L4Set tcp({{MARCH_L4_KEY(kTcp, 0U), MARCH_L4_KEY(kTcp, 3U)}});
  small.Subtract(PacketSet::Of(addresses, addresses, tcp, PortSet({{3, 0xFFFF}})));
  return small;
}

TEST_CASE("union, intersection and difference are those of the members") {
  const PacketSet small = Small();
  for (unsigned seed = 0; seed < 700; ++seed) {
    CAPTURE(seed);
    Maker make(seed);
    PacketSet set = make.Simple();
    Members members = MembersOf(set);
    for (int step = 0; step < 4; ++step) {
      const PacketSet other = make.Simple();
      const Members others = MembersOf(other);
      Members expected;
      switch (make.Below(3)) {
        case 0:
          set.Add(other);
          std::set_union(members.begin(), members.end(), others.begin(), others.end(),
                         std::inserter(expected, expected.end()));
          break;
        case 1:
          set.Subtract(other);
          std::set_difference(members.begin(), members.end(), others.begin(), others.end(),
                              std::inserter(expected, expected.end()));
          break;
        default:
          CHECK(Overlaps(set, other) == !Intersect(set, other).empty());
          set = Intersect(set, other);
          std::set_intersection(members.begin(), members.end(), others.begin(), others.end(),
                                std::inserter(expected, expected.end()));
      }
      members = std::move(expected);
      CHECK(MembersOf(set) == members);
      CheckDisjoint(set);
    }
    PacketSet simple = set;
    simple.Simplify();
    CHECK(simple.products().size() <= set.products().size());
    CheckDisjoint(simple);
    CHECK(SameSet(simple, set));
    CHECK(set.empty() == !set.Witness().has_value());
    if (!set.empty()) CHECK(set.Contains(*set.Witness()));
    const PacketSet inside = Intersect(set, small);
    CHECK(inside.Size() == members.size());
    const PacketSet third = make.Simple();
    const Members thirds = MembersOf(third);
    CHECK(IsSubset(inside, third) ==
          std::includes(thirds.begin(), thirds.end(), members.begin(), members.end()));
  }
}

TEST_CASE("the whole space is complete, and nothing is left without it") {
  PacketSet all = PacketSet::Everything();
  // TCP, UDP and SCTP: all pairs of ports; both ICMPs: all types and codes; 251 others: one each.
  const PacketCount l4 = (PacketCount(3) << 32) + (PacketCount(2) << 16) + 251;
  CHECK(all.Size() == ((PacketCount(1) << 64) + (PacketCount(1) << 256)) * l4);
  CHECK(all.Witness()->ToString() == "tcp 0.0.0.1:40000 > 0.0.0.1:443");
  all.Subtract(PacketSet::Everything());
  CHECK(all.empty());
  CHECK(all.Size() == 0);
}

TEST_CASE("shares keep small parts above nothing and large ones below all") {
  CHECK(Share(0, 10) == 0);
  CHECK(Share(10, 10) == 1);
  CHECK(Share(5, 10) == 0.5);
  const AddressSet half{IntervalSet<Uint128>({{0, LastOf(Family::kV4) / 2}}), {}};
  const AddressSet both{IntervalSet<Uint128>({{0, LastOf(Family::kV4)}}),
                        IntervalSet<Uint128>({{0, LastOf(Family::kV6)}})};
  const auto between = [&](const AddressSet& source) {
    return PacketSet::Of(source, both, EveryL4(), EveryPort());
  };
  CHECK(Share(between(half), between(both)) == 0.25);
  const PacketCount large = PacketCount(1) << 280;
  CHECK(Share(1, large) > 0);
  CHECK(Share(large - 1, large) < 1);
}

}  // namespace
}  // namespace march::space
