// What the two halves of `explain` share.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "compiler/pipeline/pipeline.h"
#include "compiler/pipeline/review.h"

namespace march::cli {

// What decides a mapping's packets, kernel or proxy, and why.
struct Path {
  const char* name;  // "fast" or "slow"
  std::string reason;
};
Path PathOf(const model::Policy& policy, const model::Mapping& mapping);

nlohmann::json MappingJson(const model::Mapping& mapping);

// The regions of a set of flows, each with its verdict and who decides it. `text` is how the set
// was written.
void ExplainSet(const pipeline::Compilation& compilation, const std::string& text,
                const space::PacketSet& packets, const std::string& format, std::ostream& out);

}  // namespace march::cli
