// What benchmarks ask of the generated program, each thing alone.
#pragma once

#include "bench/stateful/gateway_program.h"
#include "bench/stateful/traffic.h"

namespace march::bench {

// A limit for each mapping or each source, as the traffic is to exceed it or not. Together,
// mappings let pass what sources do.
Asked AskMappingLimit(const TrafficKind& traffic, const FlowSpace& space, std::uint32_t mappings);
Asked AskSourceLimit(const TrafficKind& traffic);

// A block list of so many prefixes, with all clients if the traffic is to be blocked.
Asked AskBlockList(const TrafficKind& traffic, const FlowSpace& space, std::uint32_t prefixes);

}  // namespace march::bench
