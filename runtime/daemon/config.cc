#include "runtime/daemon/config.h"

#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string_view>

#include "base/suggest.h"
#include "runtime/control/server.h"
#include "runtime/daemon/yaml_tree.h"

namespace march::daemon {
namespace {

using Kind = YamlNode::Kind;

// Linux: IFNAMSIZ with its zero, no slash, no blank; "." and ".." are taken.
bool IsInterfaceName(std::string_view name) {
  return !name.empty() && name.size() < IF_NAMESIZE && name != "." && name != ".." &&
         std::all_of(
             name.begin(), name.end(),
             [](char c) { return c > 0x20 && c < 0x7F && c != '/' && c != ':'; });
}

class Interpreter {
 public:
  Outcome<Config> Document(const YamlNode& root) {
    if (!IsMap(root, "the configuration")) return std::move(errors_);
    const YamlNode* version = Find(root, "apiVersion");
    const YamlNode* kind = Find(root, "kind");
    if (version == nullptr || version->scalar != "march/v1") {
      Error(version != nullptr ? version->range : root.range, "apiVersion must be march/v1");
    }
    if (kind == nullptr || kind->scalar != "Runtime") {
      Error(kind != nullptr ? kind->range : root.range, "kind must be Runtime");
    }
    if (HasErrors(errors_)) return std::move(errors_);
    CheckKeys(root, {"apiVersion", "kind", "cluster", "interfaces", "xdp", "trusted_keys",
                     "control", "metrics", "state", "bpffs", "without_policy"});
    if (const YamlNode* node = Find(root, "cluster")) Text(*node, "cluster", config_.cluster);
    bpf::XdpMode mode = bpf::XdpMode::kAuto;
    if (const YamlNode* node = Find(root, "xdp")) mode = Mode(*node);
    if (const YamlNode* node = Require(root, "interfaces")) Interfaces(*node, mode);
    if (const YamlNode* node = Require(root, "trusted_keys")) TrustedKeys(*node);
    if (const YamlNode* node = Require(root, "control")) Control(*node);
    if (const YamlNode* node = Require(root, "state")) {
      AbsolutePath(*node, "state", config_.state_directory);
    }
    if (const YamlNode* node = Find(root, "bpffs")) {
      AbsolutePath(*node, "bpffs", config_.bpffs_directory);
    }
    if (const YamlNode* node = Find(root, "metrics")) Metrics(*node);
    if (const YamlNode* node = Find(root, "without_policy")) {
      config_.drop_without_policy = Word(*node, {"pass", "drop"}) == "drop";
    }
    if (HasErrors(errors_)) return std::move(errors_);
    return std::move(config_);
  }

 private:
  void Error(SourceRange range, std::string message, std::string hint = {}) {
    errors_.push_back(MakeDiagnostic(Code::kBadConfig, range, std::move(message), std::move(hint)));
  }

  bool IsMap(const YamlNode& node, const std::string& what) {
    if (node.kind == Kind::kMap) return true;
    Error(node.range, what + " must be a map");
    return false;
  }

  static const YamlNode* Find(const YamlNode& map, std::string_view key) {
    for (const auto& [name, value] : map.entries) {
      if (name.scalar == key) return &value;
    }
    return nullptr;
  }

  const YamlNode* Require(const YamlNode& map, const std::string& key) {
    const YamlNode* node = Find(map, key);
    if (node == nullptr) Error(map.range, "\"" + key + "\" is missing");
    return node;
  }

  void CheckKeys(const YamlNode& map, const std::vector<std::string_view>& known) {
    for (const auto& [name, value] : map.entries) {
      if (std::find(known.begin(), known.end(), name.scalar) == known.end()) {
        Error(name.range, "unknown key \"" + name.scalar + "\"", DidYouMean(name.scalar, known));
      }
    }
  }

  bool Text(const YamlNode& node, const std::string& what, std::string& result) {
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

  void AbsolutePath(const YamlNode& node, const std::string& what, std::string& result) {
    if (!Text(node, what, result)) return;
    if (!result.starts_with('/')) Error(node.range, what + " must be an absolute path");
    while (result.size() > 1 && result.ends_with('/')) result.pop_back();
  }

  std::string Word(const YamlNode& node, const std::vector<std::string_view>& words) {
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

  bpf::XdpMode Mode(const YamlNode& node) {
    const std::string word = Word(node, {"auto", "native", "generic"});
    if (word == "native") return bpf::XdpMode::kNative;
    return word == "generic" ? bpf::XdpMode::kGeneric : bpf::XdpMode::kAuto;
  }

  void Interfaces(const YamlNode& list, bpf::XdpMode mode) {
    if (list.kind != Kind::kList || list.items.empty()) {
      return Error(list.range, "interfaces must be a list of at least one interface");
    }
    for (const YamlNode& item : list.items) {
      apply::Interface interface{item.scalar, mode};
      const YamlNode* name = &item;
      if (item.kind == Kind::kMap) {
        CheckKeys(item, {"name", "xdp"});
        name = Require(item, "name");
        if (name == nullptr) continue;
        interface.name = name->scalar;
        if (const YamlNode* node = Find(item, "xdp")) interface.mode = Mode(*node);
      }
      if (name->kind != Kind::kScalar || !IsInterfaceName(interface.name)) {
        Error(name->range, "this is not the name of an interface");
        continue;
      }
      const bool is_twice =
          std::any_of(config_.interfaces.begin(), config_.interfaces.end(),
                      [&](const apply::Interface& other) { return other.name == interface.name; });
      if (is_twice) {
        Error(name->range, "interface " + interface.name + " is listed twice");
        continue;
      }
      config_.interfaces.push_back(std::move(interface));
    }
  }

  void TrustedKeys(const YamlNode& list) {
    if (list.kind != Kind::kList || list.items.empty()) {
      return Error(list.range, "trusted_keys must be a list of at least one file",
                   "`marchctl key generate` makes a key pair");
    }
    for (const YamlNode& item : list.items) {
      std::string path;
      AbsolutePath(item, "a trusted key", path);
      config_.trusted_keys.push_back(path);
    }
  }

  void Control(const YamlNode& map) {
    if (!IsMap(map, "control")) return;
    CheckKeys(map, {"socket", "max_bundle_bytes"});
    if (const YamlNode* node = Require(map, "socket")) {
      AbsolutePath(*node, "socket", config_.control_socket);
    }
    if (const YamlNode* node = Find(map, "max_bundle_bytes")) {
      const std::string& text = node->scalar;
      const auto [end, error] =
          std::from_chars(text.data(), text.data() + text.size(), config_.max_bundle_bytes);
      if (node->kind != Kind::kScalar || error != std::errc() || end != text.data() + text.size() ||
          config_.max_bundle_bytes == 0 || config_.max_bundle_bytes > bundle::kMaxBundleBytes) {
        Error(node->range, "max_bundle_bytes must be a number from 1 to " +
                               std::to_string(bundle::kMaxBundleBytes));
      }
    }
  }

  void Metrics(const YamlNode& node) {
    if (!Text(node, "metrics", config_.metrics)) return;
    const auto parsed = control::ParseHostPort(config_.metrics);
    if (!parsed.ok()) {
      Error(node.range, parsed.diagnostics().front().message, parsed.diagnostics().front().hint);
    }
  }

  Config config_;
  Diagnostics errors_;
};

}  // namespace

Outcome<Config> ParseConfig(const Source& source) {
  const auto root = ParseYaml(source);
  if (!root.ok()) return root.diagnostics();
  return Interpreter().Document(*root);
}

}  // namespace march::daemon
