// Sets of flows in words: `PROTO SRC[:SPORTS] > DST[:DPORTS]`, where an end is an address, a
// prefix, the name of a service or `any`, ports are a number, a range or `any`, and the protocol
// may be `any` too. What is left out is any.
#pragma once

#include "base/outcome.h"
#include "compiler/model/policy.h"
#include "compiler/space/packet_set.h"

namespace march::ruleset {

// "tcp payments > any:443". An IPv6 address or prefix is in brackets when ports follow. `type N` or
// `type N/M` may follow for ICMP. Error: kBadFlow, with the place in `text`.
Outcome<space::PacketSet> ParseFlowSet(const Source& text, const model::Policy& policy);

}  // namespace march::ruleset
