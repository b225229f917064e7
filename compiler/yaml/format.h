// The one canonical layout of a policy's files. What is said stays the same to the letter: data,
// anchors, aliases, tags, quotes, comments and the order of everything; only blanks and line breaks
// change.
//
//   two spaces a level, lists two deeper than their key · `{ a: b }`, `[a, b]`, on one line if it
//   fits into 100 columns, else an entry a line · one space behind ":" and two before a comment ·
//   at most one empty line in a row · "---" between documents
#pragma once

#include <string>

#include "base/outcome.h"
#include "base/source.h"

namespace march::yaml {

// The text in its canonical layout, which formats to itself. Errors: those of ReadLayout. Anything
// that could not be laid out without changing what it says is refused.
Outcome<std::string> Format(const Source& source);

}  // namespace march::yaml
