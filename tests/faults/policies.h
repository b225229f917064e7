// Policies that reach every part of the classifier tables and of the program that walks them: what
// a fault of the compiler is looked for with.
#pragma once

#include <string>
#include <vector>

#include "compiler/classify/tables.h"

namespace march::tests {

struct NamedPolicy {
  std::string name;
  std::vector<std::string> texts;
  classify::Limits limits;
};

// The same everywhere; those that take longest are last.
std::vector<NamedPolicy> FaultPolicies();

}  // namespace march::tests
