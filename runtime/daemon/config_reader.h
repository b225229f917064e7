// What the sections of the configuration are read with: each fault is kept with its place, and
// reading goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "runtime/daemon/yaml_tree.h"

namespace march::daemon {

class ConfigReader {
 public:
  void Error(SourceRange range, std::string message, std::string hint = {});

  bool IsMap(const YamlNode& node, const std::string& what);
  static const YamlNode* Find(const YamlNode& map, std::string_view key);
  const YamlNode* Require(const YamlNode& map, const std::string& key);
  void CheckKeys(const YamlNode& map, const std::vector<std::string_view>& known);

  bool Text(const YamlNode& node, const std::string& what, std::string& result);
  void AbsolutePath(const YamlNode& node, const std::string& what, std::string& result);
  // "" and a fault if it is none of them.
  std::string Word(const YamlNode& node, const std::vector<std::string_view>& words);
  // From `least` to `most`, decimal; otherwise a fault, and `result` stays.
  void Number(const YamlNode& node, const std::string& what, std::uint64_t least,
              std::uint64_t most, std::uint64_t& result);
  // `30s`, `5m`, `2h`, `1d`, in seconds; bounds likewise.
  void Seconds(const YamlNode& node, const std::string& what, std::uint64_t least,
               std::uint64_t most, std::uint64_t& result);

 protected:
  Diagnostics errors_;
};

}  // namespace march::daemon
