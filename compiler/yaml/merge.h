// Merge keys, `<<: *defaults` or `<<: [*first, *second]` (yaml.org/type/merge, of YAML 1.1 and in
// wide use): what the map itself says comes first, then the merged maps in their order.
#pragma once

#include "base/diagnostic.h"
#include "compiler/yaml/document.h"

namespace march::yaml {

// Replaces the merge keys of a map by the entries they stand for. Error: kYamlBadMerge.
void ResolveMerges(Node& map, Diagnostics& out);

}  // namespace march::yaml
