// What an engine says about one flow, in terms that all engines share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bundle/abi/verdict.h"
#include "compiler/model/policy.h"

namespace march::prove {

struct Decision {
  model::Action action = model::Action::kDeny;
  std::uint32_t slot = MARCH_SLOT_INTERNAL;  // where the packet counts (bundle/abi/verdict.h)
  // The slot of the mapping under audit that would decide if all audits were enforced.
  std::optional<std::uint32_t> audit = std::nullopt;

  static Decision OfMapping(model::Action action, std::uint32_t mapping) {
    return {action, MARCH_SLOT_FIRST_MAPPING + mapping, std::nullopt};
  }
  // `audit` is a slot, or 0.
  static Decision OfVerdict(std::uint32_t verdict, std::uint32_t audit) {
    return {MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW ? model::Action::kAllow
                                                                : model::Action::kDeny,
            MARCH_VERDICT_SLOT(verdict), audit == 0 ? std::nullopt : std::optional(audit)};
  }

  // Index into Policy::mappings; none when no mapping decided.
  std::optional<std::uint32_t> mapping() const {
    if (slot < MARCH_SLOT_FIRST_MAPPING) return std::nullopt;
    return slot - MARCH_SLOT_FIRST_MAPPING;
  }
  // Likewise, of the one under audit.
  std::optional<std::uint32_t> audited_mapping() const {
    return audit ? std::optional(*audit - MARCH_SLOT_FIRST_MAPPING) : std::nullopt;
  }

  friend bool operator==(const Decision&, const Decision&) = default;
};

// The deciding mapping's name, "-" for the default, "(fragment)" and the like for a fixed slot.
std::string DeciderName(const model::Policy& policy, const Decision& decision);

}  // namespace march::prove
