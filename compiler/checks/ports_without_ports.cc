#include <algorithm>

#include "compiler/checks/check_draft.h"
#include "compiler/space/protocol.h"

namespace march::checks {

void CheckPortsWithoutPorts(const model::Draft& draft, Diagnostics& out) {
  for (const auto& mapping : draft.mappings) {
    if (!mapping.ports || !mapping.protocols) continue;
    // Beside `any`, ports mean the protocols that have them.
    const auto& protocols = *mapping.protocols;
    if (std::any_of(protocols.begin(), protocols.end(), [](const auto& p) { return !p.value; })) {
      continue;
    }
    for (const auto& protocol : protocols) {
      if (space::HasPorts(*protocol.value)) continue;
      out.push_back(
          MakeDiagnostic(Code::kPortsWithoutPorts, mapping.ports_place,
                         "protocol " + space::ProtocolName(*protocol.value) + " has no ports",
                         "remove \"ports\", or give this protocol a mapping of its own")
              .WithNote(protocol.place, "the protocol is given here"));
    }
  }
}

}  // namespace march::checks
