// The smallest real frame of a flow: what the kernel engine and the packet tests send.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/space/flow.h"

namespace march::prove {

// Ethernet without tags, IPv4 or IPv6 (with a fragment header for a later fragment), and a layer-4
// header with the flow's ports; an ICMP flow is an echo request. Checksums of the IP header are
// right, those of layer 4 are zero.
std::vector<std::uint8_t> BuildFrame(const space::Flow& flow);

}  // namespace march::prove
