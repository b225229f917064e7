#include "compiler/yaml/format.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "compiler/yaml/layout.h"
#include "compiler/yaml/token.h"

namespace march::yaml {
namespace {

using Kind = Piece::Kind;

constexpr std::size_t kMaxColumn = 100;
constexpr std::size_t kStep = 2;

class Printer {
 public:
  explicit Printer(const LaidOut& laid_out)
      : text_(laid_out.text), comments_(laid_out.comments), laid_out_(laid_out) {}

  std::string Print() {
    bool first = true;
    for (const LaidOut::Document& document : laid_out_.documents) {
      if (!first) OwnLineComments(document.marker, 0);
      if (!first || document.has_marker) {
        if (document.has_marker && first) OwnLineComments(document.marker, 0);
        out_ += "---";
        EndBefore(document.root.begin, document.marker + 3);
      }
      first = false;
      PrintRoot(document.root);
    }
    OwnLineComments(text_.size() + 1, 0);
    while (out_.ends_with("\n\n")) out_.pop_back();
    const std::size_t begin = out_.find_first_not_of('\n');
    if (begin != std::string::npos) out_.erase(0, begin);
    return std::move(out_);
  }

 private:
  void PrintRoot(const Piece& root) {
    if (root.is_block()) {
      if (!root.properties.empty()) {
        Line(0, root.begin);
        out_ += root.properties;
        EndBefore(root.children.front().begin, root.begin);
      }
      return Block(root, 0);
    }
    Line(0, root.begin);
    Inline(root, 0);
    End(root.end);
  }

  // The entries of a block collection, each on a line of its own at `indent`. With `inline_first`,
  // the first goes on where the line stands.
  void Block(const Piece& piece, std::size_t indent, bool inline_first = false) {
    const std::size_t step = piece.is_map() ? 2 : 1;
    for (std::size_t i = 0; i < piece.children.size(); i += step) {
      if (i > 0 || !inline_first) Line(indent, piece.children[i].begin);
      if (piece.is_map()) {
        Inline(piece.children[i], indent);
        // An alias takes the colon for a part of its name.
        out_ += piece.children[i].kind == Kind::kAlias ? " :" : ":";
        Value(piece.children[i + 1], indent, piece.children[i].end);
      } else {
        out_ += "-";
        Item(piece.children[i], indent);
      }
    }
  }

  // What follows "key:".
  void Value(const Piece& value, std::size_t indent, std::size_t key_end) {
    if (!value.is_block()) {
      if (HasText(value)) {
        out_ += " ";
        Inline(value, indent);
      }
      return End(std::max(value.end, key_end));
    }
    if (!value.properties.empty()) out_ += " " + value.properties;
    EndBefore(value.children.front().begin, key_end);
    Block(value, indent + kStep);
  }

  // What follows "-".
  void Item(const Piece& value, std::size_t indent) {
    if (!value.is_block()) {
      if (HasText(value)) {
        out_ += " ";
        Inline(value, indent);
      }
      return End(value.end);
    }
    // Comments between the dash and its first entry need a line of their own.
    if (!value.properties.empty() || CommentBefore(value.children.front().begin)) {
      if (!value.properties.empty()) out_ += " " + value.properties;
      EndBefore(value.children.front().begin, value.begin);
      return Block(value, indent + kStep);
    }
    out_ += " ";
    Block(value, indent + kStep, true);
  }

  static bool HasText(const Piece& piece) {
    return piece.kind != Kind::kNull || !piece.token.empty() || !piece.properties.empty();
  }

  // A scalar, an alias or a flow collection.
  void Inline(const Piece& piece, std::size_t indent) {
    if (piece.is_flow()) {
      const std::string line = FlowText(piece);
      if (!line.empty() && Column() + line.size() <= kMaxColumn) {
        out_ += line;
        return;
      }
      return BrokenFlow(piece, indent);
    }
    if (!piece.properties.empty()) out_ += piece.properties;
    if (!piece.properties.empty() && !piece.token.empty()) out_ += " ";
    Scalar(piece.token, indent);
  }

  // Lines behind the first are put below their key; blanks at their beginning mean nothing, but for
  // a block scalar's own indentation.
  void Scalar(std::string_view token, std::size_t indent) {
    const std::size_t first_end = std::min(token.find('\n'), token.size());
    const bool block = token.starts_with('|') || token.starts_with('>');
    std::string_view first = token.substr(0, first_end);
    out_ += Trimmed(first);
    if (first_end == token.size()) return;
    std::size_t base = std::string_view::npos;
    std::string_view rest = token.substr(first_end + 1);
    if (block) base = rest.find_first_not_of(" \n\r");
    if (base != std::string_view::npos) {
      const std::size_t line = base == 0 ? std::string_view::npos : rest.rfind('\n', base);
      base -= line == std::string_view::npos ? 0 : line + 1;
    }
    std::string lines;
    while (true) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (block) {
        line.remove_prefix(
            std::min(base == std::string_view::npos ? line.size() : base, line.size()));
      } else {
        line = Trimmed(line);
      }
      lines += "\n";
      if (!line.empty()) lines += std::string(indent + kStep, ' ') + std::string(line);
      if (end == rest.size()) break;
      rest.remove_prefix(end + 1);
    }
    // Empty lines at the end of a block scalar are Line's business, or kept by its header.
    const bool keeps = block && first.find('+') != std::string_view::npos;
    while (block && !keeps && lines.ends_with('\n')) lines.pop_back();
    if (keeps && lines.ends_with('\n')) lines.pop_back();
    out_ += lines;
  }

  static std::string_view Trimmed(std::string_view text) {
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    return text;
  }

  // On one line; "" if that cannot be: there are comments or line breaks inside.
  std::string FlowText(const Piece& piece) const {
    if (HasCommentWithin(piece.begin, piece.end)) return "";
    return OneLine(piece);
  }

  std::string OneLine(const Piece& piece) const {
    std::string text = piece.properties;
    if (!piece.is_flow()) {
      if (piece.token.find('\n') != std::string_view::npos) return "";
      if (!text.empty() && !piece.token.empty()) text += " ";
      return text + std::string(piece.token);
    }
    if (!text.empty()) text += " ";
    const bool map = piece.kind == Kind::kFlowMap;
    if (piece.children.empty()) return text + (map ? "{}" : "[]");
    text += map ? "{ " : "[";
    for (std::size_t i = 0; i < piece.children.size(); ++i) {
      const bool value = map && i % 2 == 1;
      const Piece& child = piece.children[i];
      const std::string part = OneLine(child);
      if (part.empty() && HasText(child)) return "";
      if (value) {
        text += piece.children[i - 1].kind == Kind::kAlias ? " :" : ":";
        if (!part.empty()) text += " ";
      } else if (i > 0) {
        text += ", ";
      }
      text += part;
    }
    return text + (map ? " }" : "]");
  }

  void BrokenFlow(const Piece& piece, std::size_t indent) {
    if (!piece.properties.empty()) out_ += piece.properties + " ";
    const bool map = piece.kind == Kind::kFlowMap;
    out_ += map ? "{" : "[";
    const std::size_t step = map ? 2 : 1;
    std::size_t last = piece.begin;
    for (std::size_t i = 0; i < piece.children.size(); i += step) {
      EndBefore(piece.children[i].begin, last);
      Line(indent + kStep, piece.children[i].begin, false);
      Inline(piece.children[i], indent + kStep);
      last = piece.children[i].end;
      if (map) {
        const Piece& value = piece.children[i + 1];
        out_ += piece.children[i].kind == Kind::kAlias ? " :" : ":";
        if (HasText(value)) {
          out_ += " ";
          Inline(value, indent + kStep);
        }
        last = std::max(last, value.end);
      }
      if (i + step < piece.children.size()) out_ += ",";
    }
    EndBefore(piece.end - 1, last);
    OwnLineComments(piece.end, indent + kStep);
    out_ += std::string(indent, ' ') + (map ? "}" : "]");
  }

  std::size_t Column() const {
    const std::size_t newline = out_.rfind('\n');
    return newline == std::string::npos ? out_.size() : out_.size() - newline - 1;
  }

  bool HasCommentWithin(std::size_t begin, std::size_t end) const {
    return std::any_of(
        comments_.begin() + static_cast<std::ptrdiff_t>(next_), comments_.end(),
        [&](const Comment& comment) { return begin <= comment.begin && comment.begin < end; });
  }

  bool CommentBefore(std::size_t offset) const {
    return next_ < comments_.size() && comments_[next_].begin < offset;
  }

  // Whether the author left an empty line before what stands at `offset`.
  bool HasEmptyLineBefore(std::size_t offset) const {
    std::size_t at = std::min(offset, text_.size());
    int breaks = 0;
    while (at > 0 && (IsBlank(text_[at - 1]) || text_[at - 1] == '-')) {
      // A dash before an entry is on its line.
      if (text_[at - 1] == '-' && breaks > 0) break;
      breaks += text_[at - 1] == '\n' ? 1 : 0;
      --at;
    }
    return breaks > 1 && at > 0;
  }

  // Begins a line for what stands at `offset`, behind the comments that come before it.
  void Line(std::size_t indent, std::size_t offset, bool may_be_empty = true) {
    OwnLineComments(offset, indent);
    if (may_be_empty && HasEmptyLineBefore(offset)) EmptyLine();
    out_ += std::string(indent, ' ');
  }

  void EmptyLine() {
    if (!out_.empty() && !out_.ends_with("\n\n") && !out_.ends_with("---\n")) out_ += "\n";
  }

  void OwnLineComments(std::size_t before, std::size_t indent) {
    while (CommentBefore(before)) {
      const Comment& comment = comments_[next_++];
      if (HasEmptyLineBefore(comment.begin)) EmptyLine();
      out_ += std::string(indent, ' ') + std::string(comment.text) + "\n";
    }
  }

  // Ends a line whose last token ended at `last`. A comment that stood behind that token on its
  // line stays behind it.
  void End(std::size_t last) { EndBefore(std::min(text_.find('\n', last), text_.size()), last); }

  // Likewise, where the next token begins at `next`.
  void EndBefore(std::size_t next, std::size_t last) {
    if (next_ < comments_.size() && !comments_[next_].own_line && comments_[next_].begin >= last &&
        comments_[next_].begin < next) {
      out_ += "  " + std::string(comments_[next_++].text);
    }
    out_ += "\n";
  }

  std::string_view text_;
  const std::vector<Comment>& comments_;
  const LaidOut& laid_out_;
  std::size_t next_ = 0;  // comment
  std::string out_;
};

// Where in `before` the two begin to say different things, comments included; nothing if they never
// do.
std::optional<std::size_t> FirstDifference(const LaidOut& before, const LaidOut& after) {
  const auto event = std::mismatch(
      before.events.begin(), before.events.end(), after.events.begin(), after.events.end(),
      [](const LaidOut::Event& a, const LaidOut::Event& b) { return a.words == b.words; });
  if (event.first != before.events.end()) return event.first->at;
  const auto comment = std::mismatch(
      before.comments.begin(), before.comments.end(), after.comments.begin(), after.comments.end(),
      [](const Comment& a, const Comment& b) { return a.text == b.text; });
  if (comment.first != before.comments.end()) return comment.first->begin;
  const bool more = event.second != after.events.end() || comment.second != after.comments.end();
  return more ? std::optional(before.text.size()) : std::nullopt;
}

}  // namespace

Outcome<std::string> Format(const Source& source) {
  const auto before = ReadLayout(source);
  if (!before) return before.diagnostics();
  std::string text = Printer(*before).Print();
  const Source formatted(source.name(), text);
  const auto after = ReadLayout(formatted);
  std::optional<std::size_t> fault = 0;
  if (after.ok()) {
    fault = FirstDifference(*before, *after);
    if (!fault && Printer(*after).Print() != text) fault = 0;
  }
  if (!fault) return text;
  const Span word = WordAt(before->text, *fault);
  const std::size_t base = source.text().size() - before->text.size();
  return MakeDiagnostic(
      Code::kYamlSyntax,
      {&source, static_cast<std::uint32_t>(base + word.begin),
       static_cast<std::uint32_t>(base + word.end)},
      "what is written here would not be the same in the canonical layout",
      "write it in a plainer way, as without tags, or without an anchor on a key");
}

}  // namespace march::yaml
