#include "base/print.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace march {
namespace {

class TextPrinter {
 public:
  TextPrinter(std::ostream& out, bool color) : out_(out), color_(color) {}

  void Print(const Diagnostic& diagnostic) {
    const bool error = diagnostic.severity() == Severity::kError;
    const char* const paint = error ? "\033[1;31m" : "\033[1;35m";
    Place(diagnostic.range);
    out_ << Paint(paint) << (error ? "error" : "warning") << "[" << InfoOf(diagnostic.code).id
         << "]" << Reset() << ": " << Paint("\033[1m") << diagnostic.message << Reset() << "\n";
    Excerpt(diagnostic.range, paint, '^');
    for (const Note& note : diagnostic.notes) {
      Place(note.range);
      out_ << Paint("\033[1;36m") << "note" << Reset() << ": " << note.message << "\n";
      Excerpt(note.range, "\033[1;36m", '-');
    }
    if (!diagnostic.hint.empty()) {
      out_ << "  " << Paint("\033[1;32m") << "hint" << Reset() << ": " << diagnostic.hint << "\n";
    }
  }

 private:
  // A line longer than this is cut around the caret: generated YAML may have any width.
  static constexpr std::size_t kWidth = 160;

  const char* Paint(const char* code) const { return color_ ? code : ""; }
  const char* Reset() const { return Paint("\033[0m"); }

  void Place(const SourceRange& range) {
    if (range.valid()) out_ << range.ToString() << ": ";
  }

  void Excerpt(const SourceRange& range, const char* paint, char mark) {
    if (!range.valid()) return;
    const Position at = range.source->PositionOf(range.begin);
    std::string_view line = range.source->Line(at.line);
    std::size_t column = std::min<std::size_t>(at.column - 1, line.size());
    std::size_t length =
        std::max<std::size_t>(1, range.end > range.begin ? range.end - range.begin : 1);
    length = std::min(length, std::max<std::size_t>(1, line.size() - column));
    if (line.size() > kWidth) {
      const std::size_t cut = column > kWidth / 2 ? column - kWidth / 2 : 0;
      line = line.substr(cut, kWidth);
      column -= cut;
      length = std::min(length, std::max<std::size_t>(1, line.size() - column));
    }
    const std::string number = std::to_string(at.line);
    out_ << " " << number << " | " << Printable(line) << "\n"
         << std::string(number.size() + 1, ' ') << " | ";
    for (const char c : line.substr(0, column)) {
      if (!Continuation(c)) out_ << (c == '\t' ? '\t' : ' ');
    }
    std::size_t width = 0;
    for (const char c : line.substr(column, length)) width += Continuation(c) ? 0U : 1U;
    out_ << Paint(paint) << mark << std::string(width > 1 ? width - 1 : 0, mark == '^' ? '~' : '-')
         << Reset() << "\n";
  }

  static bool Continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

  // The length of the well-formed UTF-8 character at the start of `text`; 0 if there is none.
  static std::size_t CharacterLength(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length > text.size()) return 0;
    for (const char c : text.substr(1, length > 0 ? length - 1 : 0)) {
      if (!Continuation(c)) return 0;
    }
    return length;
  }

  // Policy text is somebody else's: no control character of it reaches a terminal, neither of ASCII
  // nor of Latin-1 (U+0080 to U+009F), and no byte that is no character.
  static std::string Printable(std::string_view line) {
    std::string text;
    while (!line.empty()) {
      const std::size_t length = CharacterLength(line);
      const auto lead = static_cast<unsigned char>(line[0]);
      const bool control = length == 1 ? (lead < 0x20 && lead != '\t') || lead == 0x7F
                           : length == 2
                               ? lead == 0xC2 && static_cast<unsigned char>(line[1]) < 0xA0
                               : length == 0;
      text += control ? "?" : line.substr(0, length);
      line.remove_prefix(length > 0 ? length : 1);
    }
    return text;
  }

  std::ostream& out_;
  bool color_;
};

nlohmann::json PlaceJson(const SourceRange& range) {
  if (!range.valid()) return nullptr;
  const Position begin = range.source->PositionOf(range.begin);
  const Position end = range.source->PositionOf(std::max(range.begin, range.end));
  return {{"file", range.source->name()},
          {"line", begin.line},
          {"column", begin.column},
          {"end_line", end.line},
          {"end_column", end.column}};
}

}  // namespace

void PrintText(const Diagnostics& diagnostics, std::ostream& out, const PrintOptions& options) {
  TextPrinter printer(out, options.color);
  for (const Diagnostic& diagnostic : diagnostics) printer.Print(diagnostic);
}

std::string TextOf(const Diagnostics& diagnostics) {
  std::ostringstream out;
  PrintText(diagnostics, out);
  return out.str();
}

void PrintJson(const Diagnostics& diagnostics, std::ostream& out) {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    nlohmann::json notes = nlohmann::json::array();
    for (const Note& note : diagnostic.notes) {
      notes.push_back({{"place", PlaceJson(note.range)}, {"message", note.message}});
    }
    list.push_back({{"code", InfoOf(diagnostic.code).id},
                    {"severity", diagnostic.severity() == Severity::kError ? "error" : "warning"},
                    {"place", PlaceJson(diagnostic.range)},
                    {"message", diagnostic.message},
                    {"notes", std::move(notes)},
                    {"hint", diagnostic.hint}});
  }
  const nlohmann::json document = {{"format_version", 1}, {"diagnostics", std::move(list)}};
  out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace march
