// What the tools say when something is wrong. A diagnostic is data; base/print.h is the only code
// that knows how one looks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.h"

namespace march {

enum class Severity { kError, kWarning };

// Every diagnostic that exists, from base/codes.def. Each is documented in docs/diagnostics.md and
// shown by at least one test.
enum class Code {
#define MARCH_CODE(name, id, severity, summary) name,
#include "base/codes.def"
#undef MARCH_CODE
};

struct CodeInfo {
  Code code;
  std::string_view id;  // "M0203": stable, never reused
  Severity severity;
  std::string_view summary;
};

const CodeInfo& InfoOf(Code code);
const std::vector<CodeInfo>& AllCodes();

// A range that keeps its text: a diagnostic can be shown when the sources it came from are gone, as
// those of a policy that could not be compiled are.
struct Place : SourceRange {
  Place() = default;
  Place(const SourceRange& range)  // NOLINT(google-explicit-constructor)
      : SourceRange(range) {
    if (range.valid()) text = range.source->weak_from_this().lock();
  }

  std::shared_ptr<const Source> text;
};

// A second place that explains the first: "first defined here".
struct Note {
  Place range;
  std::string message;
};

struct Diagnostic {
  Code code;
  Place range;          // may be none
  std::string message;  // the cause: lower case, no full stop
  std::vector<Note> notes;
  std::string hint;  // the remedy; may be empty

  Severity severity() const { return InfoOf(code).severity; }

  Diagnostic& WithNote(SourceRange note_range, std::string note_message) & {
    notes.push_back({note_range, std::move(note_message)});
    return *this;
  }
  Diagnostic&& WithNote(SourceRange note_range, std::string note_message) && {
    notes.push_back({note_range, std::move(note_message)});
    return std::move(*this);
  }
};

using Diagnostics = std::vector<Diagnostic>;

inline Diagnostic MakeDiagnostic(Code code, SourceRange range, std::string message,
                                 std::string hint = {}) {
  return {code, range, std::move(message), {}, std::move(hint)};
}

bool HasErrors(const Diagnostics& diagnostics);

// Sorts by file name, then place, so that output never depends on the order of work.
void SortByPlace(Diagnostics& diagnostics);

}  // namespace march
