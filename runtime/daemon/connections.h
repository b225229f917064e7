// The configuration's section `connections`, documented in march-runtime(5).
#pragma once

#include "bundle/abi/flow.h"
#include "runtime/daemon/config_reader.h"

namespace march::daemon {

// The defaults without a section. Faults go to the reader.
march_flow_config ReadConnections(ConfigReader& reader, const YamlNode* section);

}  // namespace march::daemon
