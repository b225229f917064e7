// The configuration's section `limits`, documented in march-runtime(5).
#pragma once

#include "bundle/abi/limit.h"
#include "runtime/daemon/config_reader.h"

namespace march::daemon {

// The defaults without a section. Faults go to the reader.
march_limit_config ReadLimits(ConfigReader& reader, const YamlNode* section);

}  // namespace march::daemon
