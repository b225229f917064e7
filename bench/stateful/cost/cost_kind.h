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
  std::uint64_t flows;  // that are made, if any are
};

struct CostKind {
  std::string_view name;
  std::string_view description;
  std::vector<Task> tasks;
  Asked (*ask)(const CostSetup& setup);  // none: it is a control, `program` in bench/
  const char* program = nullptr;
};

// Connections that are given room for.
std::uint64_t RoomFor(const CostSetup& setup);

// kFloor and kStateless are the first two.
const std::vector<CostKind>& CostKinds();

inline constexpr std::string_view kFloor = "floor";
inline constexpr std::string_view kStateless = "stateless";

}  // namespace march::bench
