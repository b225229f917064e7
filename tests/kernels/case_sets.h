// The cases that every kernel must load: programs of all shapes, with frames for each.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "tests/kernels/case_files.h"

namespace march::tests {

struct NamedCase {
  std::string name;  // "shapes/random-7"
  std::function<Outcome<Case>()> make;
};

enum class Extent { kSome, kAll };

// The same everywhere; kSome leaves out such as are costly to load and much like others. To be made
// with the root of the tree as working directory:
//
//   examples/  the directories of examples/
//   policies/  those of tests/faults/policies.h, and one whose tables are above 4 MiB
//   frames/    headers of every kind, well-formed and not
//   shapes/    the extreme ones and others of tests/budget/shapes.h, and the largest tables there
//              can be; what their tables hold is nothing
//
// What must become of a flow is what the policy says, read as a person would read it
// (prove::ModelEngine); only where there is no policy it is what the walk says on the host.
std::vector<NamedCase> MakeCaseSets(Extent extent);

}  // namespace march::tests
