// The block list over the control API: GET /v1/blocks; POST /v1/blocks/add, /v1/blocks/remove.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/block/blocks.h"
#include "runtime/control/api.h"

namespace march::control {

// The longest body of a request: room for a million lines with comments.
inline constexpr std::uint64_t kMaxBlockBody = std::uint64_t{64} << 20;

// The path of `target` is one of the three. 400 for what is not understood.
//
// GET lists all entries, or with `prefix=` those that hold it or lie in it.
// POST add: {"list": TEXT, "for": SECONDS, "comment": TEXT}; the last two are optional.
// POST remove: {"list": TEXT}, or {"all": true}.
// A list is lines of addresses and prefixes, see block::ReadList.
Response AnswerAboutBlocks(std::string_view target, std::string_view body, block::Blocks& blocks);

}  // namespace march::control
