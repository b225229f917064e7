// What marchd tells about itself at one moment; metrics and the control API are two ways to write
// it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace march::telemetry {

enum class Enforcement {
  kNoPolicy,   // no bundle was ever accepted
  kEnforcing,  // a generation decides
  kLockdown,   // every packet is dropped
};
std::string_view NameOf(Enforcement enforcement);

struct Count {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const Count&, const Count&) = default;
};

struct MappingCount {
  std::string name;
  std::string action;
  std::int32_t priority = 0;
  std::string place;
  Count count;
};

// A count whose mapping, with this action, is no longer in the policy.
struct RetiredCount {
  std::string name;
  std::string action;
  Count count;
};

struct SlotCount {
  std::string name;  // "arp", "truncated", ...
  bool passes = false;
  Count count;
};

struct InterfaceState {
  std::string name;
  std::string mode;     // "native", "generic", or "" when not attached
  std::string problem;  // why it is not attached, or ""
};

struct Snapshot {
  Enforcement enforcement = Enforcement::kNoPolicy;
  std::string problem;  // why marchd is not healthy, or ""
  std::uint64_t generation = 0;
  std::uint64_t serial = 0;
  std::uint64_t highest_serial = 0;
  std::string policy_digest;
  std::string cluster;
  std::string tool_version;
  std::vector<InterfaceState> interfaces;
  std::uint64_t swaps = 0;  // since this process started, as `refused`
  std::uint64_t refused = 0;

  std::string default_action;
  std::vector<MappingCount> mappings;  // by name
  std::vector<SlotCount> slots;
  std::vector<std::pair<std::string, Count>> defaults;  // by action
  std::vector<RetiredCount> retired;                    // by name
  Count retired_rest;                                   // of names beyond those that are kept
};

}  // namespace march::telemetry
