// The kernel's connection tracking in a namespace.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "bench/common/network.h"

namespace march::bench {

std::uint64_t CountTracked(const Namespace& place);

// Forgets all of them.
void FlushTracked(const Namespace& place);

// {"buckets", "most"}: how many connections the kernel has room for; both are the whole system's.
nlohmann::json DescribeTracking();
std::uint64_t MostTracked();

}  // namespace march::bench
