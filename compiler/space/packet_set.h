// Sets of packets, exact, of both families: what lint, coverage, diff and ownership reckon with.
//
// A packet is a point in four dimensions: source, destination, layer-4 key (protocol with
// destination port or ICMP type and code, as in bundle/abi/tables.h) and source port. A set is a
// list of products of one set an axis, disjoint from each other. Where a protocol has no ports, a
// product holds all of them or none: such points count as one packet, whose ports are 0.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/space/flow.h"
#include "compiler/space/interval_set.h"

namespace march::space {

using L4Set = IntervalSet<std::uint32_t>;
using PortSet = IntervalSet<std::uint16_t>;

// Counts packets: the whole space has about 2^288 of them.
using PacketCount = boost::multiprecision::cpp_int;

L4Set EveryL4();
PortSet EveryPort();

struct Product {
  Family family = Family::kV4;
  IntervalSet<Uint128> source;
  IntervalSet<Uint128> destination;
  L4Set l4;
  PortSet source_port;

  bool empty() const {
    return source.empty() || destination.empty() || l4.empty() || source_port.empty();
  }
  friend bool operator==(const Product&, const Product&) = default;
};

bool Overlaps(const Product& a, const Product& b);

class PacketSet {
 public:
  PacketSet() = default;  // empty
  explicit PacketSet(Product product);
  static PacketSet Everything();
  // Everything between these addresses; one product a family.
  static PacketSet Of(const AddressSet& source, const AddressSet& destination, const L4Set& l4,
                      const PortSet& source_port);

  const std::vector<Product>& products() const { return products_; }
  bool empty() const { return products_.empty(); }
  bool Contains(const Flow& flow) const;

  void Add(const PacketSet& other);       // union
  void Subtract(const PacketSet& other);  // what is not in `other`
  // Fewer products for the same set, where two differ in one axis only; in a fixed order.
  void Simplify();

  PacketCount Size() const;
  PacketCount Size(Family family) const;
  // A packet of the set, the most ordinary one there is: TCP before UDP before ICMP, well-known
  // ports before others. None if it is empty. The same set in the same products gives the same
  // packet.
  std::optional<Flow> Witness() const;

  friend PacketSet Intersect(const PacketSet& a, const PacketSet& b);

 private:
  std::vector<Product> products_;
};

PacketSet Intersect(const PacketSet& a, const PacketSet& b);
bool Overlaps(const PacketSet& a, const PacketSet& b);
bool IsSubset(const PacketSet& a, const PacketSet& b);
bool SameSet(const PacketSet& a, const PacketSet& b);

// part/whole, between 0 and 1 and equal to them only when the part is empty or the whole.
double Share(const PacketCount& part, const PacketCount& whole);
// The share of packets of `whole`, which is not empty, that are in `part`, a subset. Address
// families count alike: by numbers, IPv6 would drown whatever IPv4 does.
double Share(const PacketSet& part, const PacketSet& whole);

}  // namespace march::space
