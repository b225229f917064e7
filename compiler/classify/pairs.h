// The pairs of one source and one destination that rows by source hold, in a hash table
// (bundle/abi/tables.h): one look at memory for what is most often asked, however long the rows.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/classify/lines.h"
#include "compiler/classify/views.h"

namespace march::classify {

struct Pairs {
  Words lines;                         // whole lines
  std::vector<std::uint32_t> salt_of;  // by record, below MARCH_PAIR_SALTS
  std::size_t count = 0;
};

// Takes cells for a single destination class out of the rows of `source` and into the table; what
// finds no place stays in its row. The records of `source` then refer to the rows without them.
Pairs TakePairs(Side& source);

}  // namespace march::classify
