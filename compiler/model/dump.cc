#include "compiler/model/policy.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

void DumpServices(const Policy& policy, std::string_view word,
                  const std::vector<std::uint32_t>& indices, std::string& out) {
  out += " ";
  out += word;
  const char* separator = " ";
  for (const std::uint32_t index : indices) {
    out += separator + policy.services[index].name;
    separator = ",";
  }
}

void DumpPorts(const char* word, const std::optional<std::vector<PortRange>>& ports,
               std::string& out) {
  if (!ports) return;
  const char* separator = word;
  for (const PortRange& range : *ports) {
    out += separator + std::to_string(range.first);
    if (range.last != range.first) out += "-" + std::to_string(range.last);
    separator = ",";
  }
}

void DumpText(const char* word, const std::string& text, std::string& out) {
  if (!text.empty()) out += word + yaml::Quoted(text, text.size());
}

void DumpAttributes(const std::vector<Attribute>& attributes, std::string& out) {
  for (const Attribute& attribute : attributes) {
    out += " " + attribute.name + " " + attribute.value;
  }
}

void DumpService(const Policy& policy, const Service& service, std::string& out) {
  out += "service " + service.name;
  for (const space::Prefix& prefix : service.prefixes) out += " " + prefix.ToString();
  for (const std::string& name : service.fqdns) out += " " + name;
  if (!service.members.empty()) DumpServices(policy, "services", service.members, out);
  if (!service.except.empty()) out += " except";
  for (const space::Prefix& prefix : service.except) out += " " + prefix.ToString();
  DumpText(" collection ", service.collection, out);
  DumpText(" owner ", service.owner, out);
  DumpText(" comment ", service.comment, out);
  DumpAttributes(service.attributes, out);
  out += " at " + service.place.PolicyLine() + "\n";
}

void DumpMapping(const Policy& policy, const Mapping& mapping, std::string& out) {
  out += "mapping " + mapping.name + " priority " + std::to_string(mapping.priority) + " ";
  out += ActionName(mapping.action);
  if (mapping.audit) out += " audit";
  if (mapping.from) DumpServices(policy, "from", *mapping.from, out);
  if (mapping.to) DumpServices(policy, "to", *mapping.to, out);
  if (mapping.protocols) {
    const char* separator = " protocols ";
    for (const std::uint8_t protocol : *mapping.protocols) {
      out += separator + space::ProtocolName(protocol);
      separator = ",";
    }
  }
  DumpPorts(" source_ports ", mapping.source_ports, out);
  DumpPorts(" ports ", mapping.ports, out);
  if (mapping.icmp_types) {
    const char* separator = " icmp_types ";
    for (const IcmpType& type : *mapping.icmp_types) {
      out += separator + space::ProtocolName(type.protocol) + "/" + std::to_string(type.type);
      if (type.code) out += "/" + std::to_string(*type.code);
      separator = ",";
    }
  }
  DumpAttributes(mapping.attributes, out);
  DumpText(" comment ", mapping.comment, out);
  out += " at " + mapping.place.PolicyLine() + "\n";
}

}  // namespace

const std::vector<std::string_view>& ActionNames() {
  static const std::vector<std::string_view> names = {"deny", "reject", "proxy", "redirect",
                                                      "allow"};
  return names;
}

std::string_view ActionName(Action action) {
  return ActionNames()[static_cast<std::size_t>(action)];
}

std::string Dump(const Policy& policy) {
  std::string out = "cluster " + policy.cluster + "\n";
  out += "default ";
  out += ActionName(policy.default_action);
  if (!policy.default_stateful) out += " stateful false";
  out += "\n";
  for (const Service& service : policy.services) DumpService(policy, service, out);
  for (const Mapping& mapping : policy.mappings) DumpMapping(policy, mapping, out);
  return out;
}

}  // namespace march::model
