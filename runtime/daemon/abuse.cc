#include "runtime/daemon/abuse.h"

#include <algorithm>
#include <array>
#include <bit>

#include "bundle/abi/block.h"
#include "bundle/abi/limit.h"
#include "bundle/limit.h"

namespace march::daemon {
namespace {

struct Screen {
  std::uint32_t bit;
  std::string_view key;
};

constexpr std::array kScreens = {
    Screen{MARCH_SCREEN_LAND, "land"},
    Screen{MARCH_SCREEN_FLAGS, "tcp_flags"},
    Screen{MARCH_SCREEN_MARTIANS, "martians"},
    Screen{MARCH_SCREEN_SPOOFED, "spoofed"},
};

struct Rate {
  march_rate which;
  std::string_view key;
};

constexpr std::array kRates = {
    Rate{MARCH_RATE_SYN, "syn_per_source"},
    Rate{MARCH_RATE_FLOWS, "flows_per_source"},
    Rate{MARCH_RATE_ICMP, "icmp_per_source"},
};
static_assert(kRates.size() == MARCH_RATES);

constexpr std::uint64_t kPrefixV4 = 32;
// What one subscriber has at least (RFC 6177).
constexpr std::uint64_t kPrefixV6 = 64;

march_limit ReadRate(ConfigReader& reader, const YamlNode& map, std::string_view key) {
  if (!reader.IsMap(map, std::string(key))) return {};
  reader.CheckKeys(map, {"rate", "burst", "prefix_v4", "prefix_v6"});
  std::uint64_t rate = 0;
  if (const YamlNode* node = reader.Require(map, "rate")) {
    reader.Number(*node, "rate", 1, MARCH_LIMIT_MOST, rate);
  }
  std::uint64_t burst = rate;
  std::uint64_t prefix_v4 = kPrefixV4;
  std::uint64_t prefix_v6 = kPrefixV6;
  const auto read = [&](const char* name, std::uint64_t most, std::uint64_t& number) {
    if (const YamlNode* node = ConfigReader::Find(map, name)) {
      reader.Number(*node, name, 1, most, number);
    }
  };
  read("burst", MARCH_LIMIT_MOST, burst);
  read("prefix_v4", 32, prefix_v4);
  read("prefix_v6", 128, prefix_v6);
  if (rate == 0) return {};
  march_limit limit{};
  limit.rate = rate;
  limit.burst = burst;
  limit.unit = MARCH_LIMIT_PACKETS;
  limit.per = MARCH_LIMIT_PER_SOURCE;
  limit.prefix_v4 = static_cast<std::uint8_t>(prefix_v4);
  limit.prefix_v6 = static_cast<std::uint8_t>(prefix_v6);
  limit.exceed = MARCH_LIMIT_DROP;
  // No mapping has a name with a blank in it.
  bundle::CompleteLimit("abuse " + std::string(key), limit);
  return limit;
}

constexpr std::uint64_t kSources = 65536;
// 16 million: 128 MB.
constexpr std::uint64_t kMostSources = 1 << 24;
constexpr std::uint64_t kRemember = 10 * 60;
constexpr std::uint64_t kDay = 24 * 60 * 60;

march_cookie_config ReadCookies(ConfigReader& reader, const YamlNode& map) {
  if (!reader.IsMap(map, "syn_cookies")) return {};
  reader.CheckKeys(map, {"above", "remember", "sources"});
  std::uint64_t above = 0;
  std::uint64_t remember = kRemember;
  std::uint64_t sources = kSources;
  if (const YamlNode* node = reader.Require(map, "above")) {
    reader.Number(*node, "above", 0, MARCH_LIMIT_MOST, above);
  }
  if (const YamlNode* node = ConfigReader::Find(map, "remember")) {
    reader.Seconds(*node, "remember", 1, kDay, remember);
  }
  if (const YamlNode* node = ConfigReader::Find(map, "sources")) {
    reader.Number(*node, "sources", 1, kMostSources, sources);
  }
  march_cookie_config cookies{};
  cookies.lines =
      static_cast<std::uint32_t>((sources + MARCH_REAL_SOURCES - 1) / MARCH_REAL_SOURCES);
  cookies.remember = static_cast<std::uint32_t>(MARCH_TICKS(remember));
  if (above == 0) return cookies;
  cookies.unproven.rate = above;
  cookies.unproven.burst = above;
  cookies.unproven.per = MARCH_LIMIT_PER_MAPPING;
  bundle::CompleteLimit("abuse syn_cookies", cookies.unproven);
  return cookies;
}

void NeedConnections(ConfigReader& reader, const YamlNode& node, const march_flow_config& flows) {
  if (flows.established != 0) return;
  reader.Error(node.range, "this needs connections, and none are kept",
               "`connections: { established: N }` keeps some");
}

}  // namespace

march_abuse_config ReadAbuse(ConfigReader& reader, const YamlNode* section,
                             const march_flow_config& flows) {
  march_abuse_config abuse{};
  if (section == nullptr || !reader.IsMap(*section, "abuse")) return abuse;
  std::vector<std::string_view> keys = {"block_list", "syn_cookies"};
  for (const Screen& screen : kScreens) {
    keys.push_back(screen.key);
    const YamlNode* node = ConfigReader::Find(*section, screen.key);
    if (node != nullptr && reader.Word(*node, {"true", "false"}) == "true") {
      abuse.screens |= screen.bit;
    }
  }
  for (const Rate& rate : kRates) {
    keys.push_back(rate.key);
    const YamlNode* node = ConfigReader::Find(*section, rate.key);
    if (node == nullptr) continue;
    abuse.rates[rate.which] = ReadRate(reader, *node, rate.key);
    if (rate.which == MARCH_RATE_FLOWS) NeedConnections(reader, *node, flows);
  }
  if (const YamlNode* node = ConfigReader::Find(*section, "syn_cookies")) {
    abuse.cookies = ReadCookies(reader, *node);
    NeedConnections(reader, *node, flows);
  }
  if (const YamlNode* node = ConfigReader::Find(*section, "block_list")) {
    std::uint64_t entries = 0;
    reader.Number(*node, "block_list", 0, MARCH_BLOCK_MOST, entries);
    if (entries != 0) {
      abuse.blocks = std::bit_ceil(
          static_cast<std::uint32_t>(std::max<std::uint64_t>(entries, MARCH_BLOCK_LEAST)));
    }
  }
  reader.CheckKeys(*section, keys);
  return abuse;
}

}  // namespace march::daemon
