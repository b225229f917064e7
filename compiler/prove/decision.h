// What an engine says about one flow, in terms that all engines share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bundle/abi/verdict.h"
#include "compiler/classify/tables.h"
#include "compiler/model/policy.h"

namespace march::prove {

struct Decision {
  model::Action action = model::Action::kDeny;
  // What decided: an index into Policy::mappings; none when `reason` says why not.
  std::optional<std::uint32_t> mapping = std::nullopt;
  // Without a mapping: a slot below MARCH_SLOT_FIRST_MAPPING (bundle/abi/verdict.h).
  std::uint32_t reason = MARCH_SLOT_INTERNAL;
  // The mapping under audit that would decide if all audits were enforced.
  std::optional<std::uint32_t> audited_mapping = std::nullopt;

  static Decision OfMapping(model::Action action, std::uint32_t mapping) {
    return {action, mapping, 0};
  }
  static Decision OfReason(model::Action action, std::uint32_t slot) {
    return {action, std::nullopt, slot};
  }
  // `slot` and `audit` are slots of `tables`; 0 for no audit.
  static Decision OfSlot(const classify::Tables& tables, model::Action action, std::uint32_t slot,
                         std::uint32_t audit);

  friend bool operator==(const Decision&, const Decision&) = default;
};

// The deciding mapping's name, "-" for the default, "(fragment)" and the like for a fixed slot.
std::string DeciderName(const model::Policy& policy, const Decision& decision);

}  // namespace march::prove
