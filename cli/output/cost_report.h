// What the cost model chose for a policy and why, as text and JSON.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "compiler/pipeline/cost.h"
#include "compiler/pipeline/pipeline.h"
#include "runtime/bpf/test_run.h"

namespace march::cli {

struct CostReport {
  // Has reached the object stage.
  const pipeline::Compilation& compilation;
  pipeline::Options options;  // that it was compiled with
  // Of a real load, or why there was none.
  std::optional<bpf::LoadFigures> loaded;
  std::string not_loaded;
};

// `format` is text or json. All but `program`, `verifier` and `kernel` depends on the policy alone.
void Print(const CostReport& report, const std::string& format, std::ostream& out);

}  // namespace march::cli
