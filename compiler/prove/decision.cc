#include "compiler/prove/decision.h"

#include "bundle/mappings.h"
#include "compiler/classify/native_walk.h"

namespace march::prove {

Decision Decision::OfSlot(const classify::Tables& tables, model::Action action, std::uint32_t slot,
                          std::uint32_t audit) {
  const auto mapping_in = [&](std::uint32_t number) {
    return tables.mappings.at(number - MARCH_SLOT_FIRST_MAPPING);
  };
  const std::uint64_t treatment =
      march_native_treatment(tables.words.data(), tables.words.size(), slot);
  if (action == model::Action::kDeny && (treatment & MARCH_TREATMENT_REJECT) != 0) {
    action = model::Action::kReject;
  }
  Decision decision = slot < MARCH_SLOT_FIRST_MAPPING ? OfReason(action, slot)
                                                      : OfMapping(action, mapping_in(slot));
  if (audit != 0) decision.audited_mapping = mapping_in(audit);
  return decision;
}

std::string DeciderName(const model::Policy& policy, const Decision& decision) {
  if (decision.mapping) {
    return *decision.mapping < policy.mappings.size() ? policy.mappings[*decision.mapping].name
                                                      : "(unknown)";
  }
  if (decision.reason == MARCH_SLOT_DEFAULT) return "-";
  return "(" + std::string(bundle::SlotName(decision.reason)) + ")";
}

}  // namespace march::prove
