// Where tokens begin and end in a text. The parser gives the first byte of a node only; carets,
// quick fixes and duplicate keys want the exact bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace march::yaml {

// The bytes [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

bool IsBlank(char c);  // space, tab and line breaks

// Behind white space and comments.
std::size_t SkipBlanks(std::string_view text, std::size_t pos);

// Behind any `&anchor` and `!tag` at `pos` and the blanks after them.
std::size_t SkipProperties(std::string_view text, std::size_t pos);

// The token of the scalar that starts at `pos` (its properties included) and has this value:
// without properties, with quotes. An empty plain scalar is where its properties are. A quoted
// scalar that is never closed has the end npos.
Span ScalarAt(std::string_view text, std::size_t pos, std::string_view value);

// The plain null (`~`, `null`) written at `pos`, if there is one. Where a value is left out, the
// next key may be such a word: `key` says that a key is looked for.
std::optional<Span> NullWordAt(std::string_view text, std::size_t pos, bool key);

// A run of characters up to a blank or a flow indicator, at least one byte: for errors, where no
// token is known.
Span WordAt(std::string_view text, std::size_t pos);

// The quote in [pos, end of text) that opens a scalar that is never closed; npos without one.
std::size_t FindOpenQuote(std::string_view text, std::size_t pos);

}  // namespace march::yaml
