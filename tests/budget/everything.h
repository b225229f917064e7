// What a gateway can be asked for, all of it: the most that a program can have to verify beside its
// policy.
#pragma once

#include "bundle/abi/config.h"

namespace march::tests {

// As marchd would read it from a configuration; sizes are small.
march_config EverythingAsked();

}  // namespace march::tests
