// Counts that outlive the generation they were made in. A count is kept by what was counted and
// what was done: a packet that was allowed never shows up as denied because a mapping changed its
// action.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bundle/abi/verdict.h"
#include "bundle/mappings.h"
#include "runtime/telemetry/snapshot.h"

namespace march::apply {

// Of names that no policy has any more, so many are kept; the others share one count.
inline constexpr std::size_t kMaxRetired = 65'536;

struct NameAndAction {
  std::string name;
  std::string action;

  friend auto operator<=>(const NameAndAction&, const NameAndAction&) = default;
};

struct Ledger {
  std::map<std::string, telemetry::Count> slots;     // by name
  std::map<std::string, telemetry::Count> defaults;  // by action
  std::map<NameAndAction, telemetry::Count> mappings;
  telemetry::Count rest;

  // Adds the counters of one generation. Without its `names`, only the fixed slots can be told
  // apart and all others go to the rest.
  void Add(const bundle::MappingTable* names, const std::vector<march_counter>& counters);

  // Moves the counts of names beyond kMaxRetired that `names` does not have into the rest, those
  // last in byte order first.
  void LimitRetired(const bundle::MappingTable* names);

  friend bool operator==(const Ledger&, const Ledger&) = default;
};

}  // namespace march::apply
