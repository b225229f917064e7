// The policy with all names resolved: what was meant, independent of files, order and spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "compiler/space/address.h"
#include "compiler/space/interval_set.h"
#include "compiler/yaml/document.h"

namespace march::model {

// From the most to the least strict: among mappings of one priority the strictest decides.
enum class Action : std::uint8_t { kDeny, kAllow };

std::string_view ActionName(Action action);

inline constexpr std::int32_t kMinPriority = -1000000;
inline constexpr std::int32_t kMaxPriority = 1000000;

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // inclusive

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

struct Service {
  std::string name;
  SourceRange place;                    // of the name
  std::vector<space::Prefix> prefixes;  // as written, in order
  space::AddressSet addresses;          // the same as a set
};

struct Mapping {
  std::string name;
  SourceRange place;  // of the name
  // Indices into Policy::services; no value means any address of any family.
  std::optional<std::vector<std::uint32_t>> from;
  std::optional<std::vector<std::uint32_t>> to;
  // Sorted protocol numbers without repetition; no value means any. Given ports narrow "any" to the
  // protocols that have ports, so here `ports` implies `protocols`.
  std::optional<std::vector<std::uint8_t>> protocols;
  // Sorted, disjoint destination ports; no value means all. Applies to every entry of `protocols`.
  std::optional<std::vector<PortRange>> ports;
  Action action = Action::kAllow;
  std::int32_t priority = 0;
  std::string comment;
};

struct Policy {
  std::string cluster = "default";
  Action default_action = Action::kDeny;
  std::vector<Service> services;  // sorted by name, byte order
  std::vector<Mapping> mappings;  // sorted by name, byte order
};

// Reads, checks and resolves. All errors of all documents are reported. The result does not depend
// on the order of files, documents or keys.
Outcome<Policy> BuildPolicy(const yaml::PolicyDoc& doc);

// For `--until policy --dump`: canonical text, one line a fact, with places.
std::string Dump(const Policy& policy);

}  // namespace march::model
