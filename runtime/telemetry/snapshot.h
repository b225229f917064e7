// What marchd tells about itself at one moment; metrics and the control API are two ways to write
// it.
#pragma once

#include <cstdint>
#include <optional>
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

// In the place of an action: packets above the limit of a mapping, which did not pass as its others
// did. They also count elsewhere.
inline constexpr std::string_view kAboveLimit = "above-limit";

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
  std::optional<Count> above_limit = std::nullopt;  // of a mapping with a limit
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
  std::string mode;       // "native", "generic", or "" when not attached
  std::string problem;    // why it is not attached, or ""
  bool fast = false;      // packets from and to here are forwarded by the program
  std::string slow = {};  // why they are not, although they are to be, or ""
};

// Connections, "established" or "new" ones.
struct FlowTableState {
  std::string name;
  std::uint64_t flows = 0;
  std::uint64_t capacity = 0;
  bool is_full = false;  // one found no room there in the last minute
};

struct BlockListState {
  std::uint64_t entries = 0;
  std::uint64_t capacity = 0;
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

  std::vector<FlowTableState> flow_tables;  // none where no connections are kept
  std::optional<BlockListState> block_list;
  // By march_statistic (bundle/abi/config.h), as old as the state in the kernel; empty if there is
  // none.
  std::vector<std::uint64_t> statistics;
};

}  // namespace march::telemetry
