#include "runtime/daemon/config_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/number.h"
#include "base/suggest.h"

namespace march::daemon {
namespace {

using Kind = YamlNode::Kind;

// Seconds in the unit that ends a duration; 0: it is none.
std::uint64_t UnitOf(char letter) {
  switch (letter) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 60 * 60;
    case 'd':
      return 24 * 60 * 60;
    default:
      return 0;
  }
}

// In the largest unit that has no fraction.
std::string DurationText(std::uint64_t seconds) {
  for (const char letter : {'d', 'h', 'm'}) {
    const std::uint64_t unit = UnitOf(letter);
    if (seconds % unit == 0) return std::to_string(seconds / unit) + letter;
  }
  return std::to_string(seconds) + "s";
}

}  // namespace

void ConfigReader::Error(SourceRange range, std::string message, std::string hint) {
  errors_.push_back(MakeDiagnostic(Code::kBadConfig, range, std::move(message), std::move(hint)));
}

bool ConfigReader::IsMap(const YamlNode& node, const std::string& what) {
  if (node.kind == Kind::kMap) return true;
  Error(node.range, what + " must be a map");
  return false;
}

const YamlNode* ConfigReader::Find(const YamlNode& map, std::string_view key) {
  for (const auto& [name, value] : map.entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

const YamlNode* ConfigReader::Require(const YamlNode& map, const std::string& key) {
  const YamlNode* node = Find(map, key);
  if (node == nullptr) Error(map.range, "\"" + key + "\" is missing");
  return node;
}

void ConfigReader::CheckKeys(const YamlNode& map, const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : map.entries) {
    if (std::find(known.begin(), known.end(), name.scalar) == known.end()) {
      Error(name.range, "unknown key \"" + name.scalar + "\"", DidYouMean(name.scalar, known));
    }
  }
}

bool ConfigReader::Text(const YamlNode& node, const std::string& what, std::string& result) {
  if (node.kind != Kind::kScalar || node.scalar.empty()) {
    Error(node.range, what + " must be a text");
    return false;
  }
  // A zero byte would end a path early for the system and for nobody else.
  if (node.scalar.find('\0') != std::string::npos) {
    Error(node.range, what + " has a zero byte in it");
    return false;
  }
  result = node.scalar;
  return true;
}

void ConfigReader::AbsolutePath(const YamlNode& node, const std::string& what,
                                std::string& result) {
  if (!Text(node, what, result)) return;
  if (!result.starts_with('/')) Error(node.range, what + " must be an absolute path");
  while (result.size() > 1 && result.ends_with('/')) result.pop_back();
}

std::string ConfigReader::Word(const YamlNode& node, const std::vector<std::string_view>& words) {
  if (node.kind == Kind::kScalar &&
      std::find(words.begin(), words.end(), node.scalar) != words.end()) {
    return node.scalar;
  }
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += word == words.back() ? " or " : ", ";
    list += word;
  }
  Error(node.range, "this must be " + list, DidYouMean(node.scalar, words));
  return {};
}

void ConfigReader::Number(const YamlNode& node, const std::string& what, std::uint64_t least,
                          std::uint64_t most, std::uint64_t& result) {
  const auto number = ReadNumber<std::uint64_t>(node.scalar);
  if (node.kind == Kind::kScalar && number && *number >= least && *number <= most) {
    result = *number;
    return;
  }
  Error(node.range,
        what + " must be a number from " + std::to_string(least) + " to " + std::to_string(most));
}

void ConfigReader::Seconds(const YamlNode& node, const std::string& what, std::uint64_t least,
                           std::uint64_t most, std::uint64_t& result) {
  const std::string& text = node.scalar;
  const std::uint64_t unit = text.empty() ? 0 : UnitOf(text.back());
  const auto number =
      unit == 0 ? std::nullopt
                : ReadNumber<std::uint64_t>(std::string_view(text).substr(0, text.size() - 1));
  if (node.kind == Kind::kScalar && number && *number <= most / unit && *number * unit >= least) {
    result = *number * unit;
    return;
  }
  Error(node.range, what + " must be a duration from " + DurationText(least) + " to " +
                        DurationText(most) + ", such as 90s, 5m, 2h or 1d");
}

}  // namespace march::daemon
