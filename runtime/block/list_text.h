// Block lists as text: what people and feeds write, and what marchd keeps on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "runtime/block/prefix.h"

namespace march::block {

inline constexpr std::size_t kMaxCommentBytes = 200;

struct Entry {
  Prefix prefix;
  std::int64_t until = 0;  // seconds since 1970 in UTC; 0: for ever
  std::string comment;     // one line

  friend bool operator==(const Entry&, const Entry&) = default;
};

// Printable, and at most kMaxCommentBytes.
bool IsComment(std::string_view text);

// A list as it is fed: one address or prefix a line; what follows `#` or `;` is its comment, and a
// line that has nothing else is skipped. Error: one kBadBlock, which names the first line that is
// wrong and says how many are.
Outcome<std::vector<Entry>> ReadList(std::string_view text);

// marchd's own file.
std::string WriteStored(const std::vector<Entry>& entries);
struct Stored {
  std::vector<Entry> entries;
  std::size_t damaged = 0;  // lines that WriteStored has not written
};
Stored ReadStored(std::string_view text);

}  // namespace march::block
