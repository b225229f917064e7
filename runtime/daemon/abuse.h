// The configuration's section `abuse`, documented in march-runtime(5).
#pragma once

#include "bundle/abi/abuse.h"
#include "bundle/abi/flow.h"
#include "runtime/daemon/config_reader.h"

namespace march::daemon {

// Nothing without a section. Faults go to the reader.
march_abuse_config ReadAbuse(ConfigReader& reader, const YamlNode* section,
                             const march_flow_config& flows);

}  // namespace march::daemon
