#include <string>

#include "cli/output/findings.h"

namespace march::cli {
namespace {

// As the runner reads them: a command is one line, and in properties "," and ":" have a meaning.
std::string Escaped(std::string_view text, bool property) {
  std::string escaped;
  for (const char c : text) {
    if (c == '%') {
      escaped += "%25";
    } else if (c == '\r') {
      escaped += "%0D";
    } else if (c == '\n') {
      escaped += "%0A";
    } else if (property && c == ':') {
      escaped += "%3A";
    } else if (property && c == ',') {
      escaped += "%2C";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

void PrintGithub(const Findings& findings, std::ostream& out) {
  for (const Diagnostic& diagnostic : findings.diagnostics) {
    out << (diagnostic.severity() == Severity::kError ? "::error " : "::warning ");
    if (diagnostic.range.valid()) {
      const Source& source = *diagnostic.range.source;
      const std::uint32_t end = CharacterColumn(source, diagnostic.range.end);
      out << "file=" << Escaped(source.name(), true)
          << ",line=" << source.PositionOf(diagnostic.range.begin).line
          << ",endLine=" << source.PositionOf(diagnostic.range.end).line
          << ",col=" << CharacterColumn(source, diagnostic.range.begin)
          << ",endColumn=" << (end > 1 ? end - 1 : end) << ",";
    }
    std::string text = diagnostic.message;
    for (const Note& note : diagnostic.notes) {
      text += "\n" + note.range.ToString() + ": " + note.message;
    }
    if (!diagnostic.hint.empty()) text += "\nhint: " + diagnostic.hint;
    out << "title=" << InfoOf(diagnostic.code).id << "::" << Escaped(text, false) << "\n";
  }
}

}  // namespace march::cli
