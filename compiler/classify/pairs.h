// The pairs of one source and one destination that rows by source hold, in a hash table
// (bundle/abi/tables.h): one look at memory for what is most often asked, however long the rows.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/classify/lines.h"
#include "compiler/classify/views.h"

namespace march::classify {

struct Pairs {
  std::uint32_t first_line = 0;
  std::uint32_t lines = 0;  // 0: there is no table
  std::uint32_t bits = 0;   // as in march_pair_key
  std::uint32_t destination_bits = 0;
  std::uint32_t slot_bits = 0;         // as in march_family
  std::vector<std::uint32_t> salt_of;  // by record, below MARCH_PAIR_SALTS
  std::size_t count = 0;
};

// From how many lines on no two keys of `bits` bits have one line and one tag; bits is below 60.
std::uint64_t LinesForTags(std::uint32_t bits);

// Takes cells for a single destination class out of the rows of `source` and into a table at the
// end of `lines`; what finds no place stays in its row. The records of `source` then refer to the
// rows without them. There are `destinations` classes, and slots below `slots`.
Pairs TakePairs(Side& source, std::uint32_t destinations, std::uint32_t slots, Lines& lines);

}  // namespace march::classify
