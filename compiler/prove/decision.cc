#include "compiler/prove/decision.h"

#include "bundle/mappings.h"

namespace march::prove {

std::string DeciderName(const model::Policy& policy, const Decision& decision) {
  if (const auto mapping = decision.mapping()) {
    return *mapping < policy.mappings.size() ? policy.mappings[*mapping].name : "(unknown)";
  }
  if (decision.slot == MARCH_SLOT_DEFAULT) return "-";
  return "(" + std::string(bundle::SlotName(decision.slot)) + ")";
}

}  // namespace march::prove
