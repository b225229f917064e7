// Policies that are hard on a classifier (nested and overlapping prefixes of both families, equal
// and different priorities, denies, port lists, open ends), and flows that hit their edges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/model/policy.h"
#include "compiler/space/flow.h"
#include "tests/random/random.h"

namespace march::tests {

// A valid policy in YAML with about `mappings` mappings.
std::string RandomPolicy(Random& random, std::uint32_t mappings);

// Flows between, at and just outside of the edges of the policy's prefixes and port ranges; a few
// are later fragments if asked for.
std::vector<space::Flow> RandomFlows(Random& random, const model::Policy& policy,
                                     std::uint32_t count, bool fragments);

}  // namespace march::tests
