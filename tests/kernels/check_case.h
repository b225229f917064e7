// Whether the running kernel loads a case's program and does with every frame what it must.
#pragma once

#include <string>

#include "runtime/bpf/test_run.h"
#include "tests/kernels/case_files.h"

namespace march::tests {

struct CaseReport {
  std::string problem;  // the first; "" if there is none
  bpf::LoadFigures figures;
};

// Loads it as a gateway would, but attaches it to nothing. All frames go through one program, so
// what it remembers of one it knows for the next. Needs CAP_BPF and CAP_NET_ADMIN.
CaseReport CheckCase(const Case& checked);

}  // namespace march::tests
