// How many connections the gateway of a soak remembers, and how long when they are silent: so short
// that many end that way.
#pragma once

#include <cstdint>
#include <string>

#include "bundle/abi/config.h"

namespace march::soak {

// The key `connections` of marchd's configuration.
std::string ConnectionsText();

// The same, for the model.
march_config ModelConfig();

// After so many seconds of silence, every connection has ended.
inline constexpr std::uint64_t kLongestTimeout = 6;

}  // namespace march::soak
