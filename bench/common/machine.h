// What the figures were taken on.
#pragma once

#include <nlohmann/json.hpp>

namespace march::bench {

// {"cpu", "cpus", "kernel", "memory_bytes", "caches": [{"name", "bytes", "shared_by_cpus"}],
//  "bpf_jit", "governor", "hypervisor"}
nlohmann::json DescribeMachine();

}  // namespace march::bench
