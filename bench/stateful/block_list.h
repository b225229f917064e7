// Sources that are to be blocked.
#pragma once

#include <string>
#include <vector>

#include "bench/stateful/flows.h"

namespace march::bench {

// So many different prefixes, all clients of `space` among them or none of them; at least the
// clients.
std::vector<std::string> MakeBlockList(const FlowSpace& space, std::size_t count,
                                       bool with_clients);

}  // namespace march::bench
