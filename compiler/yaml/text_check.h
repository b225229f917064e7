// What a text must be before any parser sees it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/diagnostic.h"

namespace march::yaml {

// The length in bytes of the UTF-8 character at `offset` (RFC 3629, section 4); 0 if there is none.
std::size_t Utf8LengthAt(std::string_view text, std::size_t offset);

// The same if the character may be shown as it is; 0 for control characters too.
std::size_t PrintableAt(std::string_view text, std::size_t offset);

// The first fault: kYamlNotUtf8 for bytes that are not UTF-8, kYamlSyntax for control characters,
// for carriage returns without a line feed and for byte order marks behind the first byte.
std::optional<Diagnostic> CheckText(const Source& source);

// The offset behind a byte order mark, if there is one: where the text itself begins.
std::size_t TextBegin(const Source& source);

}  // namespace march::yaml
