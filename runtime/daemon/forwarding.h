// What becomes of packets after their verdict: the configuration's sections `forward` and `reject`,
// documented in march-runtime(5).
#pragma once

#include "bundle/abi/config.h"
#include "runtime/daemon/config_reader.h"

namespace march::daemon {

// `forward`: whether it is "fast". False without one.
bool ReadForward(ConfigReader& reader, const YamlNode* value, bool otherwise = false);

// The defaults without a section. Faults go to the reader.
march_reject_config ReadReject(ConfigReader& reader, const YamlNode* section);

}  // namespace march::daemon
