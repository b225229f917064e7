#include "runtime/daemon/config.h"

#include <net/if.h>

#include <algorithm>
#include <string_view>

#include "runtime/control/server.h"
#include "runtime/daemon/abuse.h"
#include "runtime/daemon/config_reader.h"
#include "runtime/daemon/connections.h"
#include "runtime/daemon/forwarding.h"
#include "runtime/daemon/limits.h"
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

class Interpreter : ConfigReader {
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
                     "control", "metrics", "state", "bpffs", "without_policy", "connections",
                     "abuse", "events", "forward", "limits", "reject"});
    if (const YamlNode* node = Find(root, "cluster")) Text(*node, "cluster", config_.cluster);
    bpf::XdpMode mode = bpf::XdpMode::kAuto;
    if (const YamlNode* node = Find(root, "xdp")) mode = Mode(*node);
    const bool fast = ReadForward(*this, Find(root, "forward"));
    if (const YamlNode* node = Require(root, "interfaces")) Interfaces(*node, mode, fast);
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
    config_.gateway.flows = ReadConnections(*this, Find(root, "connections"));
    config_.events = ReadEvents(*this, Find(root, "events"));
    config_.gateway.events = config_.events.ForPrograms();
    config_.gateway.forward.fast = static_cast<std::uint32_t>(
        std::any_of(config_.interfaces.begin(), config_.interfaces.end(),
                    [](const apply::Interface& interface) { return interface.fast; }));
    config_.gateway.reject = ReadReject(*this, Find(root, "reject"));
    config_.gateway.abuse = ReadAbuse(*this, Find(root, "abuse"), config_.gateway.flows);
    config_.gateway.limits = ReadLimits(*this, Find(root, "limits"));
    if (HasErrors(errors_)) return std::move(errors_);
    return std::move(config_);
  }

 private:
  bpf::XdpMode Mode(const YamlNode& node) {
    const std::string word = Word(node, {"auto", "native", "generic"});
    if (word == "native") return bpf::XdpMode::kNative;
    return word == "generic" ? bpf::XdpMode::kGeneric : bpf::XdpMode::kAuto;
  }

  void Interfaces(const YamlNode& list, bpf::XdpMode mode, bool fast) {
    if (list.kind != Kind::kList || list.items.empty()) {
      return Error(list.range, "interfaces must be a list of at least one interface");
    }
    for (const YamlNode& item : list.items) {
      apply::Interface interface{item.scalar, mode, fast};
      const YamlNode* name = &item;
      if (item.kind == Kind::kMap) {
        CheckKeys(item, {"name", "xdp", "forward"});
        name = Require(item, "name");
        if (name == nullptr) continue;
        interface.name = name->scalar;
        if (const YamlNode* node = Find(item, "xdp")) interface.mode = Mode(*node);
        interface.fast = ReadForward(*this, Find(item, "forward"), fast);
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
      Number(*node, "max_bundle_bytes", 1, bundle::kMaxBundleBytes, config_.max_bundle_bytes);
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
};

}  // namespace

Outcome<Config> ParseConfig(const Source& source) {
  const auto root = ParseYaml(source);
  if (!root.ok()) return root.diagnostics();
  return Interpreter().Document(*root);
}

}  // namespace march::daemon
