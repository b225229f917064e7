#include "runtime/daemon/abuse.h"

#include <algorithm>
#include <array>
#include <bit>

#include "bundle/abi/block.h"

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

}  // namespace

march_abuse_config ReadAbuse(ConfigReader& reader, const YamlNode* section) {
  march_abuse_config abuse{};
  if (section == nullptr || !reader.IsMap(*section, "abuse")) return abuse;
  std::vector<std::string_view> keys = {"block_list"};
  for (const Screen& screen : kScreens) {
    keys.push_back(screen.key);
    const YamlNode* node = ConfigReader::Find(*section, screen.key);
    if (node != nullptr && reader.Word(*node, {"true", "false"}) == "true") {
      abuse.screens |= screen.bit;
    }
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
