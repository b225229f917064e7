// Policies so small that every packet they can tell apart can be tried.
#pragma once

#include <string>
#include <vector>

#include "compiler/space/flow.h"
#include "tests/random/random.h"

namespace march::tests {

// A valid policy in YAML, with everything that matches packets, unions and exceptions included. Its
// mappings may be ambiguous.
std::string SmallPolicy(Random& random);

// One packet for every class that any SmallPolicy can tell apart.
std::vector<space::Flow> SmallUniverse();

}  // namespace march::tests
