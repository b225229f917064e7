#include "base/print.h"

#include <algorithm>
#include <nlohmann/json.hpp>
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

  // Policy text is somebody else's: no control byte of it reaches a terminal.
  static std::string Printable(std::string_view line) {
    std::string text(line);
    for (char& c : text) {
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) c = '?';
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
