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

  static Decision OfMapping(model::Action action, std::uint32_t mapping) {
    return {action, MARCH_SLOT_FIRST_MAPPING + mapping};
  }
  static Decision OfVerdict(std::uint32_t verdict) {
    return {MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW ? model::Action::kAllow
                                                                : model::Action::kDeny,
            MARCH_VERDICT_SLOT(verdict)};
  }

  // Index into Policy::mappings; none when no mapping decided.
  std::optional<std::uint32_t> mapping() const {
    if (slot < MARCH_SLOT_FIRST_MAPPING) return std::nullopt;
    return slot - MARCH_SLOT_FIRST_MAPPING;
  }

  friend bool operator==(const Decision&, const Decision&) = default;
};

// The deciding mapping's name, "-" for the default, "(fragment)" and the like for a fixed slot.
std::string DeciderName(const model::Policy& policy, const Decision& decision);

}  // namespace march::prove
