// Sets of packets in words, as flows are written: "tcp 10.0.0.0/8 > 10.2.0.10:80,443".
#pragma once

#include <string>
#include <vector>

#include "compiler/space/packet_set.h"

namespace march::space {

// The fewest prefixes that make up [first, last].
std::vector<Prefix> PrefixesOf(Family family, Uint128 first, Uint128 last);

// Lists of more than a few parts are cut: "10.0.0.0/8, 10.2.0.0/16 and 12 more".
std::string Describe(const IntervalSet<Uint128>& addresses, Family family);
std::string Describe(const Product& product);

}  // namespace march::space
