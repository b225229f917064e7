// Programs that are measured without any network.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/stateful/gateway_program.h"
#include "bench/stateful/traffic.h"

namespace march::bench {

struct CostSetup {
  const FlowSpace& space;
  const TrafficKind& traffic;
  std::uint64_t flows;     // that are made, if any are
  std::uint32_t mappings;  // of the policy
  std::uint32_t blocked;   // prefixes on the block list
};

struct CostKind {
  std::string_view name;
  std::string_view description;
  std::vector<std::string_view> traffic;  // none: all
  Judge judge;
  Asked (*ask)(const CostSetup& setup);  // none: it is a control, `control` in bench/
  const char* control = nullptr;
};

// kFloor and kStateless are the first two.
const std::vector<CostKind>& CostKinds();

inline constexpr std::string_view kFloor = "floor";
inline constexpr std::string_view kStateless = "stateless";

// Connections that are given room for.
std::uint64_t RoomFor(const CostSetup& setup);

}  // namespace march::bench
