// tables/mappings.json: what the counter slots stand for, so that marchd can name what it counts
// without knowing the policy language. Entry i counts in slot MARCH_SLOT_FIRST_MAPPING + i; behind
// all entries comes a slot for each that is limited, in the same order: packets above its limit
// count there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"

namespace march::bundle {

struct MappingInfo {
  std::string name;
  std::string action;  // "allow", "deny", "reject"; under audit "audit-allow", ...
  std::int32_t priority = 0;
  std::string place;  // "egress.yaml:12"
  bool limited = false;
};

struct MappingTable {
  std::string default_action;         // "deny", "allow"
  std::vector<MappingInfo> mappings;  // in order of precedence
};

// How many slots they need, those below MARCH_SLOT_FIRST_MAPPING among them.
std::uint32_t SlotsOf(const MappingTable& table);

// Whether what counts under this action was only watched.
bool IsAudit(std::string_view action);

std::string WriteMappings(const MappingTable& table);
// Refuses unknown keys and actions, and a name that is there twice. Error: kBundleMalformed.
Outcome<MappingTable> ReadMappings(std::string_view json);

// The name of a slot below MARCH_SLOT_FIRST_MAPPING as counters show it ("arp", "truncated",
// "default"), or "" for a slot that is not used.
std::string_view SlotName(std::uint32_t slot);
// What a slot of this name is for, as a sentence that goes on after its name: "an EtherType that is
// not IP"; "" if there is none.
std::string_view SlotMeaning(std::string_view name);
// Whether packets counted in a slot below MARCH_SLOT_DEFAULT went on; false for every other slot.
bool SlotPasses(std::uint32_t slot);

}  // namespace march::bundle
