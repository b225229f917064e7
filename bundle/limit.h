// What follows in the record of a limit (bundle/abi/limit.h) from what is asked for.
#pragma once

#include <string_view>

#include "bundle/abi/limit.h"

namespace march::bundle {

// Fills in identity, speed, room, refill and shift from unit, rate, burst, per and prefixes. `name`
// is whose limit it is.
void CompleteLimit(std::string_view name, march_limit& limit);

}  // namespace march::bundle
