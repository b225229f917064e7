// Packets of a cell.
#pragma once

#include <cstdint>

#include "bundle/abi/witness.h"
#include "compiler/prove/settle.h"
#include "compiler/space/flow.h"

namespace march::prove {

// The flow of the packets with a layer-4 key (as in struct march_key) and source port.
space::Flow FlowOf(const space::Address& source, const space::Address& destination,
                   std::uint32_t key, std::uint32_t source_port);

march_witness WitnessOf(const space::Flow& flow, const Fate& expected);
space::Flow FlowOf(const march_witness& witness);
Fate FateOf(const march_witness& witness);

}  // namespace march::prove
