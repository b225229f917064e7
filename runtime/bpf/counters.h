// Reading counters while the kernel counts (bundle/abi/counters.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bundle/abi/verdict.h"

namespace march::bpf {

// Of a slot in a CPU's block of march_counters, which has room for `slots`: what was counted up to
// a moment during the call. None if the word was about to spill, which takes a few instructions.
std::optional<march_counter> TryReadCounter(const std::uint64_t* block, std::size_t slots,
                                            std::size_t slot);

// Asks until there is an answer, for some 20 ms at most: a virtual CPU may stand still between two
// instructions. Then it answers from what is there: all packets, perhaps without the bytes
// of the last 2^21 before the word began anew.
march_counter ReadCounter(const std::uint64_t* block, std::size_t slots, std::size_t slot);

}  // namespace march::bpf
