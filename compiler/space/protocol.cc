#include "compiler/space/protocol.h"

#include <array>
#include <utility>

#include "base/number.h"

namespace march::space {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 5> kNames = {
    {{"tcp", kTcp}, {"udp", kUdp}, {"sctp", kSctp}, {"icmp", kIcmp}, {"icmpv6", kIcmpv6}}};

}  // namespace

std::optional<std::uint32_t> ParseNumber(std::string_view text, std::uint32_t limit) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto value = ReadNumber<std::uint32_t>(text);
  return value && *value <= limit ? value : std::nullopt;
}

std::optional<std::uint8_t> ParseProtocol(std::string_view text) {
  for (const auto& [name, number] : kNames) {
    if (text == name) return number;
  }
  const auto number = ParseNumber(text, 255);
  if (!number) return std::nullopt;
  return static_cast<std::uint8_t>(*number);
}

std::string ProtocolName(std::uint8_t protocol) {
  for (const auto& [name, number] : kNames) {
    if (protocol == number) return std::string(name);
  }
  return std::to_string(protocol);
}

const std::vector<std::string_view>& ProtocolNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    list.reserve(kNames.size());
    for (const auto& entry : kNames) list.push_back(entry.first);
    return list;
  }();
  return names;
}

}  // namespace march::space
