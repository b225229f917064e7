// Programs for shapes that no policy need have: march_shape is all that a program's code depends
// on, but for the size of its maps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/tables.h"
#include "compiler/clang/bpf_object.h"
#include "runtime/bpf/test_run.h"
#include "tests/random/random.h"

namespace march::tests {

// The deepest of everything at once. Beyond what tables of 448 MiB can hold: five levels of short
// lines for a cell of 2^15 addresses, fourteen of long ones for ten million entries, seven of a
// tail, lists of eight, a key for every layer-4 key, source port and set.
march_shape WorstShape();

// WorstShape without some of its features: every combination of views with either family, deep
// addresses without ports and ports without deep addresses.
std::vector<march_shape> ExtremeShapes();

// Those of them whose programs are largest: all views, of either family alone, and WorstShape with
// what is shared and what is direct.
std::vector<march_shape> LargestShapes();

// Any shape, a third of them with bounds that no table reaches.
march_shape RandomShape(Random& random);

std::string Describe(const march_shape& shape);

// The program of a shape, with room for `lines` lines of tables.
Outcome<clang::BpfObject> CompileShape(const march_shape& shape, std::uint32_t lines = 64);

struct Loaded {
  std::size_t instructions = 0;
  std::uint32_t stack_bytes = 0;
  Outcome<bpf::LoadFigures> figures;
};

// The same, loaded for a gateway that asks for what `config` says.
Outcome<Loaded> LoadShape(const march_shape& shape, std::uint32_t lines = 64,
                          const march_config& config = {});

// Ends the test program as skipped, loudly, unless it may load programs.
void SkipWithoutPrivileges();

}  // namespace march::tests
