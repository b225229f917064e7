#include "compiler/model/policy.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

void DumpServices(const Policy& policy, std::string_view word,
                  const std::optional<std::vector<std::uint32_t>>& indices, std::string& out) {
  if (!indices) return;
  out += " ";
  out += word;
  const char* separator = " ";
  for (const std::uint32_t index : *indices) {
    out += separator + policy.services[index].name;
    separator = ",";
  }
}

void DumpMapping(const Policy& policy, const Mapping& mapping, std::string& out) {
  out += "mapping " + mapping.name + " priority " + std::to_string(mapping.priority) + " ";
  out += ActionName(mapping.action);
  DumpServices(policy, "from", mapping.from, out);
  DumpServices(policy, "to", mapping.to, out);
  if (mapping.protocols) {
    const char* separator = " protocols ";
    for (const std::uint8_t protocol : *mapping.protocols) {
      out += separator + space::ProtocolName(protocol);
      separator = ",";
    }
  }
  if (mapping.ports) {
    const char* separator = " ports ";
    for (const PortRange& range : *mapping.ports) {
      out += separator + std::to_string(range.first);
      if (range.last != range.first) out += "-" + std::to_string(range.last);
      separator = ",";
    }
  }
  if (!mapping.comment.empty()) {
    out += " comment " + yaml::Quoted(mapping.comment, mapping.comment.size());
  }
  out += " at " + mapping.place.PolicyLine() + "\n";
}

}  // namespace

std::string_view ActionName(Action action) {
  return action == Action::kAllow ? "allow" : "deny";
}

std::string Dump(const Policy& policy) {
  std::string out = "cluster " + policy.cluster + "\n";
  out += "default ";
  out += ActionName(policy.default_action);
  out += "\n";
  for (const Service& service : policy.services) {
    out += "service " + service.name;
    for (const space::Prefix& prefix : service.prefixes) out += " " + prefix.ToString();
    out += " at " + service.place.PolicyLine() + "\n";
  }
  for (const Mapping& mapping : policy.mappings) DumpMapping(policy, mapping, out);
  return out;
}

}  // namespace march::model
