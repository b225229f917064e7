#include "compiler/space/icmp.h"

#include <algorithm>
#include <array>

#include "compiler/space/protocol.h"

namespace march::space {
namespace {

struct Name {
  std::string_view name;
  std::uint8_t protocol;
  std::uint8_t type;
};

constexpr std::array<Name, 30> kNames = {{
    {"echo-reply", kIcmp, 0},
    {"destination-unreachable", kIcmp, 3},
    {"source-quench", kIcmp, 4},
    {"redirect", kIcmp, 5},
    {"echo-request", kIcmp, 8},
    {"router-advertisement", kIcmp, 9},
    {"router-solicitation", kIcmp, 10},
    {"time-exceeded", kIcmp, 11},
    {"parameter-problem", kIcmp, 12},
    {"timestamp-request", kIcmp, 13},
    {"timestamp-reply", kIcmp, 14},
    {"info-request", kIcmp, 15},
    {"info-reply", kIcmp, 16},
    {"address-mask-request", kIcmp, 17},
    {"address-mask-reply", kIcmp, 18},
    {"destination-unreachable", kIcmpv6, 1},
    {"packet-too-big", kIcmpv6, 2},
    {"time-exceeded", kIcmpv6, 3},
    {"parameter-problem", kIcmpv6, 4},
    {"echo-request", kIcmpv6, 128},
    {"echo-reply", kIcmpv6, 129},
    {"mld-listener-query", kIcmpv6, 130},
    {"mld-listener-report", kIcmpv6, 131},
    {"mld-listener-done", kIcmpv6, 132},
    {"nd-router-solicit", kIcmpv6, 133},
    {"nd-router-advert", kIcmpv6, 134},
    {"nd-neighbor-solicit", kIcmpv6, 135},
    {"nd-neighbor-advert", kIcmpv6, 136},
    {"nd-redirect", kIcmpv6, 137},
    {"mld2-listener-report", kIcmpv6, 143},
}};

}  // namespace

std::optional<std::uint8_t> ParseIcmpType(std::string_view name, std::uint8_t protocol) {
  for (const Name& known : kNames) {
    if (known.name == name && known.protocol == protocol) return known.type;
  }
  return std::nullopt;
}

std::string IcmpTypeName(std::uint8_t protocol, std::uint8_t type) {
  for (const Name& known : kNames) {
    if (known.type == type && known.protocol == protocol) return std::string(known.name);
  }
  return std::to_string(type);
}

const std::vector<std::string_view>& IcmpTypeNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    list.reserve(kNames.size());
    for (const Name& known : kNames) list.push_back(known.name);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }();
  return names;
}

}  // namespace march::space
