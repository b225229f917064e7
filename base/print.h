// The one printer of diagnostics.
#pragma once

#include <ostream>
#include <string>

#include "base/diagnostic.h"

namespace march {

struct PrintOptions {
  bool color = false;  // ANSI colours; the caller has looked at NO_COLOR and the terminal
};

// As a good compiler prints: file:line:column, severity and code, the source line with carets under
// the range, notes with their own lines, then the hint.
void PrintText(const Diagnostics& diagnostics, std::ostream& out, const PrintOptions& options = {});
std::string TextOf(const Diagnostics& diagnostics);

// {"format_version": 1, "diagnostics": [...]} with 1-based lines and columns.
void PrintJson(const Diagnostics& diagnostics, std::ostream& out);

}  // namespace march
