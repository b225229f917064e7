#include "compiler/space/packet_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bundle/abi/tables.h"
#include "compiler/space/protocol.h"

namespace march::space {
namespace {

constexpr std::uint32_t kLastPort = 0xFFFF;

Product Intersect(const Product& a, const Product& b) {
  if (a.family != b.family) return {};
  return {a.family, Intersect(a.source, b.source), Intersect(a.destination, b.destination),
          Intersect(a.l4, b.l4), Intersect(a.source_port, b.source_port)};
}

// Appends what of `a` is outside of `b`: at most one product an axis, disjoint.
void Peel(Product a, const Product& b, std::vector<Product>& out) {
  if (!Overlaps(a, b)) {
    out.push_back(std::move(a));
    return;
  }
  const auto peel = [&](auto axis) {
    auto outside = Subtract(a.*axis, b.*axis);
    if (outside.empty()) return;
    a.*axis = Intersect(a.*axis, b.*axis);
    Product part = a;
    part.*axis = std::move(outside);
    out.push_back(std::move(part));
  };
  peel(&Product::l4);
  peel(&Product::destination);
  peel(&Product::source);
  peel(&Product::source_port);
}

PacketCount CountOf(const IntervalSet<Uint128>& set) {
  PacketCount count = 0;
  for (const auto& part : set.intervals()) {
    const Uint128 size = part.last - part.first;
    count += (PacketCount(static_cast<std::uint64_t>(size >> 64)) << 64) +
             static_cast<std::uint64_t>(size) + 1;
  }
  return count;
}

// How many different layer 4s packets of the product can have, source ports included.
PacketCount CountL4(const Product& product) {
  PacketCount source_ports = 0;
  for (const auto& part : product.source_port.intervals()) {
    source_ports += std::uint32_t{part.last} - part.first + 1;
  }
  PacketCount count = 0;
  for (const auto& part : product.l4.intervals()) {
    for (std::uint32_t protocol = part.first >> 16; protocol <= part.last >> 16; ++protocol) {
      const std::uint32_t first = std::max(part.first, protocol << 16);
      const std::uint32_t last = std::min(part.last, protocol << 16 | kLastPort);
      const auto number = static_cast<std::uint8_t>(protocol);
      if (HasPorts(number)) {
        count += source_ports * (last - first + 1);
      } else if (IsIcmp(number)) {
        count += last - first + 1;
      } else {
        count += 1;
      }
    }
  }
  return count;
}

// Whether two products differ in this axis only; then `a` takes the union.
template <class Axis>
bool MergeAlong(Product& a, const Product& b, Axis axis) {
  Product probe = b;
  probe.*axis = a.*axis;
  if (!(probe == a)) return false;
  a.*axis = Union(a.*axis, b.*axis);
  return true;
}

bool Merge(Product& a, const Product& b) {
  return MergeAlong(a, b, &Product::l4) || MergeAlong(a, b, &Product::destination) ||
         MergeAlong(a, b, &Product::source) || MergeAlong(a, b, &Product::source_port);
}

template <class T>
bool IsLess(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  return std::lexicographical_compare(
      a.intervals().begin(), a.intervals().end(), b.intervals().begin(), b.intervals().end(),
      [](const Interval<T>& x, const Interval<T>& y) {
        return x.first != y.first ? x.first < y.first : x.last < y.last;
      });
}

bool IsOrdered(const Product& a, const Product& b) {
  if (a.family != b.family) return a.family < b.family;
  if (!(a.l4 == b.l4)) return IsLess(a.l4, b.l4);
  if (!(a.source == b.source)) return IsLess(a.source, b.source);
  if (!(a.destination == b.destination)) return IsLess(a.destination, b.destination);
  return IsLess(a.source_port, b.source_port);
}

// The first of `wishes` that is in the set, else its first member.
template <class T, class Wishes>
T Choose(const IntervalSet<T>& set, const Wishes& wishes) {
  for (const T wish : wishes) {
    if (set.Contains(wish)) return wish;
  }
  return set.intervals().front().first;
}

// The first address that looks like a host's: the first of a prefix is none, if there is a second.
Uint128 ChooseHost(const IntervalSet<Uint128>& set) {
  const auto& part = set.intervals().front();
  return part.first < part.last && (part.first & 0xFF) == 0 ? part.first + 1 : part.first;
}

Flow WitnessOf(const Product& product) {
  const auto& source_ports = product.source_port;
  constexpr std::array<std::uint32_t, 10> kWishes = {
      MARCH_L4_KEY(kTcp, 443U),      MARCH_L4_KEY(kTcp, 80U), MARCH_L4_KEY(kTcp, 22U),
      MARCH_L4_KEY(kTcp, 8080U),     MARCH_L4_KEY(kTcp, 1U),  MARCH_L4_KEY(kUdp, 53U),
      MARCH_L4_KEY(kUdp, 443U),      MARCH_L4_KEY(kUdp, 1U),  MARCH_L4_KEY(kIcmp, 0x0800U),
      MARCH_L4_KEY(kIcmpv6, 0x8000U)};
  std::uint32_t key = Choose(product.l4, kWishes);
  // Any port of TCP, then of UDP, is more ordinary than what else comes first.
  for (const std::uint8_t protocol : {kUdp, kTcp}) {
    const L4Set ports = Intersect(
        product.l4, L4Set({{MARCH_L4_KEY(protocol, 0U), MARCH_L4_KEY(protocol, kLastPort)}}));
    const bool wished = (key >> 16) == kTcp || (key >> 16) == protocol;
    if (!ports.empty() && !wished) key = ports.intervals().front().first;
  }
  Flow flow;
  flow.protocol = static_cast<std::uint8_t>(key >> 16);
  flow.source = {product.family, ChooseHost(product.source)};
  flow.destination = {product.family, ChooseHost(product.destination)};
  if (HasPorts(flow.protocol)) {
    flow.source_port = Choose(source_ports, std::array<std::uint16_t, 1>{kAnySourcePort});
  }
  if (HasPorts(flow.protocol) || IsIcmp(flow.protocol)) {
    flow.SetDetail(static_cast<std::uint16_t>(key));
  }
  return flow;
}

}  // namespace

L4Set EveryL4() {
  return L4Set({{0, MARCH_L4_FRAGMENT - 1}});
}

PortSet EveryPort() {
  return PortSet({{0, kLastPort}});
}

bool Overlaps(const Product& a, const Product& b) {
  return a.family == b.family && Overlaps(a.l4, b.l4) && Overlaps(a.destination, b.destination) &&
         Overlaps(a.source, b.source) && Overlaps(a.source_port, b.source_port);
}

PacketSet::PacketSet(Product product) {
  if (!product.empty()) products_.push_back(std::move(product));
}

PacketSet PacketSet::Of(const AddressSet& source, const AddressSet& destination, const L4Set& l4,
                        const PortSet& source_port) {
  PacketSet set;
  for (const Family family : {Family::kV4, Family::kV6}) {
    Product product{family, source.In(family), destination.In(family), l4, source_port};
    if (!product.empty()) set.products_.push_back(std::move(product));
  }
  return set;
}

PacketSet PacketSet::Everything() {
  return Of(AddressSet::Everything(), AddressSet::Everything(), EveryL4(), EveryPort());
}

bool PacketSet::Contains(const Flow& flow) const {
  const std::uint32_t key = MARCH_L4_KEY(flow.protocol, std::uint32_t{flow.Detail()});
  return std::any_of(products_.begin(), products_.end(), [&](const Product& product) {
    return product.family == flow.source.family && product.l4.Contains(key) &&
           product.source.Contains(flow.source.value) &&
           product.destination.Contains(flow.destination.value) &&
           product.source_port.Contains(flow.source_port);
  });
}

void PacketSet::Add(const PacketSet& other) {
  PacketSet rest = other;
  rest.Subtract(*this);
  products_.insert(products_.end(), std::make_move_iterator(rest.products_.begin()),
                   std::make_move_iterator(rest.products_.end()));
}

void PacketSet::Subtract(const PacketSet& other) {
  for (const Product& hole : other.products_) {
    const bool touches =
        std::any_of(products_.begin(), products_.end(),
                    [&](const Product& product) { return Overlaps(product, hole); });
    if (!touches) continue;
    std::vector<Product> left;
    for (Product& product : products_) Peel(std::move(product), hole, left);
    products_ = std::move(left);
  }
}

void PacketSet::Simplify() {
  for (bool merged = true; merged;) {
    merged = false;
    std::sort(products_.begin(), products_.end(), IsOrdered);
    for (std::size_t i = 0; i < products_.size(); ++i) {
      for (std::size_t j = i + 1; j < products_.size();) {
        if (!Merge(products_[i], products_[j])) {
          ++j;
          continue;
        }
        products_.erase(products_.begin() + static_cast<std::ptrdiff_t>(j));
        merged = true;
      }
    }
  }
}

PacketCount PacketSet::Size() const {
  return Size(Family::kV4) + Size(Family::kV6);
}

PacketCount PacketSet::Size(Family family) const {
  PacketCount size = 0;
  for (const Product& product : products_) {
    if (product.family != family) continue;
    size += CountOf(product.source) * CountOf(product.destination) * CountL4(product);
  }
  return size;
}

std::optional<Flow> PacketSet::Witness() const {
  std::optional<Flow> best;
  const auto rank = [](const Flow& flow) {
    constexpr std::array<std::uint8_t, 4> kOrder = {kTcp, kUdp, kIcmp, kIcmpv6};
    return std::find(kOrder.begin(), kOrder.end(), flow.protocol) - kOrder.begin();
  };
  for (const Product& product : products_) {
    const Flow flow = WitnessOf(product);
    if (!best || rank(flow) < rank(*best)) best = flow;
  }
  return best;
}

PacketSet Intersect(const PacketSet& a, const PacketSet& b) {
  PacketSet result;
  for (const Product& left : a.products()) {
    for (const Product& right : b.products()) {
      // Disjoint, as what they are parts of.
      if (Overlaps(left, right)) result.products_.push_back(Intersect(left, right));
    }
  }
  return result;
}

bool Overlaps(const PacketSet& a, const PacketSet& b) {
  return std::any_of(a.products().begin(), a.products().end(), [&](const Product& left) {
    return std::any_of(b.products().begin(), b.products().end(),
                       [&](const Product& right) { return Overlaps(left, right); });
  });
}

bool IsSubset(const PacketSet& a, const PacketSet& b) {
  PacketSet rest = a;
  rest.Subtract(b);
  return rest.empty();
}

bool SameSet(const PacketSet& a, const PacketSet& b) {
  return IsSubset(a, b) && IsSubset(b, a);
}

double Share(const PacketSet& part, const PacketSet& whole) {
  double sum = 0;
  int families = 0;
  for (const Family family : {Family::kV4, Family::kV6}) {
    const PacketCount size = whole.Size(family);
    if (size == 0) continue;
    ++families;
    sum += Share(part.Size(family), size);
  }
  return sum / families;
}

double Share(const PacketCount& part, const PacketCount& whole) {
  if (part == 0) return 0;
  if (part == whole) return 1;
  // 53 bits of the quotient; the ends are for the exact cases.
  constexpr double kNearlyOne = 1.0 - 0x1p-53;
  const PacketCount scaled = (part << 64) / whole;
  return std::clamp(scaled.convert_to<double>() * 0x1p-64, 0x1p-64, kNearlyOne);
}

}  // namespace march::space
