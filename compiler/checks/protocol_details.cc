#include <algorithm>

#include "compiler/checks/check_draft.h"
#include "compiler/space/icmp.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

using Protocols = std::vector<model::DraftMapping::Protocol>;

// The protocols that are named; none where all are meant.
Protocols Named(const model::DraftMapping& mapping) {
  const Protocols all = mapping.protocols.value_or(Protocols());
  const bool any = std::any_of(all.begin(), all.end(), [](const auto& p) { return !p.value; });
  return any ? Protocols() : all;
}

void CheckPorts(const Protocols& protocols, SourceRange place, const std::string& key,
                Diagnostics& out) {
  for (const auto& protocol : protocols) {
    if (space::HasPorts(*protocol.value)) continue;
    out.push_back(
        MakeDiagnostic(
            Code::kPortsWithoutPorts, place,
            "protocol " + space::ProtocolName(*protocol.value) + " has no ports",
            "remove " + yaml::Quoted(key) + ", or give this protocol a mapping of its own")
            .WithNote(protocol.place, "the protocol is given here"));
  }
}

void CheckTypes(const model::DraftMapping& mapping, const Protocols& protocols, Diagnostics& out) {
  for (const auto& protocol : protocols) {
    if (space::IsIcmp(*protocol.value)) continue;
    out.push_back(
        MakeDiagnostic(Code::kTypesWithoutIcmp, mapping.icmp_types_place,
                       "protocol " + space::ProtocolName(*protocol.value) + " has no ICMP types",
                       "remove \"icmp_types\", or give this protocol a mapping of its own")
            .WithNote(protocol.place, "the protocol is given here"));
  }
  for (const auto& type : *mapping.icmp_types) {
    const auto has = [&](const auto& protocol) {
      return space::IsIcmp(*protocol.value) &&
             space::ParseIcmpType(type.value.name, *protocol.value).has_value();
    };
    if (type.value.name.empty() || protocols.empty() ||
        std::any_of(protocols.begin(), protocols.end(), has)) {
      continue;
    }
    const std::uint8_t other =
        space::ParseIcmpType(type.value.name, space::kIcmp) ? space::kIcmp : space::kIcmpv6;
    if (std::none_of(protocols.begin(), protocols.end(),
                     [](const auto& protocol) { return space::IsIcmp(*protocol.value); })) {
      continue;  // told above
    }
    out.push_back(MakeDiagnostic(Code::kBadIcmpType, type.place,
                                 "the type " + yaml::Quoted(type.value.name) + " is one of " +
                                     space::ProtocolName(other) + ", which this mapping excludes",
                                 "add " + space::ProtocolName(other) + " to \"protocols\""));
  }
}

}  // namespace

void CheckProtocolDetails(const model::Draft& draft, Diagnostics& out) {
  for (const auto& mapping : draft.mappings) {
    const Protocols protocols = Named(mapping);
    if (mapping.ports) CheckPorts(protocols, mapping.ports_place, "ports", out);
    if (mapping.source_ports) {
      CheckPorts(protocols, mapping.source_ports_place, "source_ports", out);
    }
    if (!mapping.icmp_types) continue;
    if (mapping.ports || mapping.source_ports) {
      const SourceRange ports = mapping.ports ? mapping.ports_place : mapping.source_ports_place;
      out.push_back(MakeDiagnostic(Code::kTypesWithoutIcmp, mapping.icmp_types_place,
                                   "no protocol has both ports and ICMP types",
                                   "make two mappings of it")
                        .WithNote(ports, "the ports are given here"));
      continue;
    }
    CheckTypes(mapping, protocols, out);
  }
}

}  // namespace march::checks
