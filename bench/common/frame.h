// The frame that BPF programs write packets into.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/common/bpf/frame.h"
#include "compiler/space/address.h"

namespace march::bench {

// The lowest `size` bytes of a number, the most significant first.
void PutNumber(void* at, space::Uint128 value, unsigned size);

// Ethernet, IPv4 or IPv6, and `l4_bytes` (at least BENCH_L4_BYTES) of layer 4; what varies is zero.
std::vector<std::uint8_t> FrameOf(space::Family family, unsigned l4_bytes);

// FrameOf, so long that frames of either family take the same.
std::vector<std::uint8_t> FrameOfOneSize(space::Family family);

}  // namespace march::bench
