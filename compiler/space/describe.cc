#include "compiler/space/describe.h"

#include <algorithm>

#include "bundle/abi/tables.h"
#include "compiler/space/protocol.h"

namespace march::space {
namespace {

constexpr std::size_t kMaxParts = 4;
constexpr std::uint32_t kLastPort = 0xFFFF;

std::string Listed(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  const std::size_t shown = parts.size() <= kMaxParts ? parts.size() : kMaxParts - 1;
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? separator : "") + parts[i];
  if (shown < parts.size()) text += " and " + std::to_string(parts.size() - shown) + " more";
  return text;
}

template <class T>
std::string RangeText(T first, T last) {
  const std::string text = std::to_string(first);
  return first == last ? text : text + "-" + std::to_string(last);
}

// What follows an address, and what follows the flow.
struct Details {
  std::string ports;
  std::string types;

  friend bool operator==(const Details&, const Details&) = default;
};

std::string TypeRange(std::uint32_t first, std::uint32_t last) {
  if ((first & 0xFF) == 0 && (last & 0xFF) == 0xFF) return RangeText(first >> 8, last >> 8);
  std::string text = std::to_string(first >> 8) + "/" + std::to_string(first & 0xFF);
  if (last != first) text += "-" + std::to_string(last >> 8) + "/" + std::to_string(last & 0xFF);
  return text;
}

Details DetailsOf(const L4Set& l4, std::uint32_t protocol) {
  const std::uint32_t base = protocol << 16;
  const L4Set keys = Intersect(l4, L4Set({{base, base | kLastPort}}));
  if (keys == L4Set({{base, base | kLastPort}})) return {};
  const bool icmp = IsIcmp(static_cast<std::uint8_t>(protocol));
  std::vector<std::string> parts;
  for (const auto& part : keys.intervals()) {
    const std::uint32_t first = part.first & kLastPort;
    const std::uint32_t last = part.last & kLastPort;
    parts.push_back(icmp ? TypeRange(first, last) : RangeText(first, last));
  }
  if (icmp) return {"", " type " + Listed(parts, ",")};
  return {":" + Listed(parts, ","), ""};
}

std::string WithPort(const std::string& address, const std::string& port) {
  const bool needs_brackets = !port.empty() && address.find(':') != std::string::npos;
  return (needs_brackets ? "[" + address + "]" : address) + port;
}

}  // namespace

std::vector<Prefix> PrefixesOf(Family family, Uint128 first, Uint128 last) {
  std::vector<Prefix> prefixes;
  const unsigned bits = BitsOf(family);
  while (true) {
    // The largest prefix that begins here and ends in time.
    unsigned length = bits;
    while (length > 0) {
      const Prefix wider = Prefix::Of({family, first}, length - 1);
      if (wider.First() != first || wider.Last() > last) break;
      --length;
    }
    prefixes.push_back(Prefix::Of({family, first}, length));
    if (prefixes.back().Last() == last) return prefixes;
    first = prefixes.back().Last() + 1;
  }
}

std::string Describe(const IntervalSet<Uint128>& addresses, Family family) {
  if (addresses == IntervalSet<Uint128>({{0, LastOf(family)}})) {
    return family == Family::kV4 ? "0.0.0.0/0" : "::/0";
  }
  std::vector<std::string> parts;
  for (const auto& part : addresses.intervals()) {
    const auto prefixes = PrefixesOf(family, part.first, part.last);
    if (prefixes.size() <= 2) {
      for (const Prefix& prefix : prefixes) parts.push_back(prefix.ToString());
    } else {
      parts.push_back(Address{family, part.first}.ToString() + "-" +
                      Address{family, part.last}.ToString());
    }
  }
  return parts.size() == 1 ? parts.front() : "{" + Listed(parts, ", ") + "}";
}

std::string Describe(const Product& product) {
  // Protocols with the same ports go together.
  std::vector<std::pair<std::vector<std::string>, Details>> groups;
  if (product.l4 == EveryL4()) {
    groups.push_back({{"any"}, {}});
  } else {
    for (std::uint32_t protocol = 0; protocol <= 0xFF; ++protocol) {
      const std::uint32_t base = protocol << 16;
      if (!Overlaps(product.l4, L4Set({{base, base | kLastPort}}))) continue;
      const Details details = DetailsOf(product.l4, protocol);
      const auto same = std::find_if(groups.begin(), groups.end(),
                                     [&](const auto& group) { return group.second == details; });
      const std::string name = ProtocolName(static_cast<std::uint8_t>(protocol));
      if (same == groups.end()) {
        groups.push_back({{name}, details});
      } else {
        same->first.push_back(name);
      }
    }
  }
  std::string source_port;
  if (product.source_port != EveryPort()) {
    std::vector<std::string> parts;
    for (const auto& part : product.source_port.intervals()) {
      parts.push_back(RangeText(part.first, part.last));
    }
    source_port = ":" + Listed(parts, ",");
  }
  const std::string source = Describe(product.source, product.family);
  const std::string destination = Describe(product.destination, product.family);
  std::vector<std::string> lines;
  lines.reserve(groups.size());
  for (const auto& [protocols, details] : groups) {
    lines.push_back(Listed(protocols, ",") + " " + WithPort(source, source_port) + " > " +
                    WithPort(destination, details.ports) + details.types);
  }
  return Listed(lines, "; ");
}

}  // namespace march::space
