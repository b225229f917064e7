#include <string>

#include "compiler/checks/check_draft.h"

namespace march::checks {
namespace {

using model::Limit;

int UnitsOf(const Limit& limit) {
  return int{limit.packets.has_value()} + int{limit.bytes.has_value()} +
         int{limit.connections.has_value()};
}

}  // namespace

void CheckLimits(const model::Draft& draft, Diagnostics& out) {
  for (const model::DraftMapping& mapping : draft.mappings) {
    if (!mapping.limit) continue;
    const Limit& limit = *mapping.limit;
    const auto complain = [&](std::string message, std::string hint) {
      out.push_back(MakeDiagnostic(Code::kBadLimit, mapping.limit_place, std::move(message),
                                   std::move(hint)));
    };
    if (limit.burst && UnitsOf(limit) > 1) {
      complain("a burst, and several rates: of which is it?",
               "remove burst, and each rate has one second's; or limit one of them");
    }
    if (limit.per == Limit::Per::kMapping && (limit.prefix_v4 != 32 || limit.prefix_v6 != 64)) {
      complain("a prefix length has no meaning for a limit of the mapping as a whole",
               "write per: source, or per: destination");
    }
    if (limit.connections && !mapping.stateful) {
      complain("new connections are not known where the mapping is not stateful",
               "remove stateful: false, or limit packets or bytes");
    }
  }
}

}  // namespace march::checks
