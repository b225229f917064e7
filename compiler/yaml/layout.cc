#include "compiler/yaml/layout.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "compiler/yaml/document.h"
#include "compiler/yaml/quote.h"
#include "compiler/yaml/text_check.h"
#include "compiler/yaml/token.h"

namespace march::yaml {
namespace {

using Kind = Piece::Kind;

struct Unsupported {
  std::size_t at;
  std::string what;
};

// From events to pieces. The text has been parsed without a fault before.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text, std::size_t prefix) : text_(text), prefix_(prefix) {}

  Piece TakeDocument() { return std::exchange(root_, {}); }
  std::vector<LaidOut::Event> TakeEvents() { return std::move(events_); }
  std::size_t last_end() const { return last_end_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    events_.push_back({"document", OffsetOf(mark)});
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Piece piece = Begin(mark, Kind::kNull);
    const bool key = IsKeyNext();
    if (const auto word = NullWordAt(text_, SkipProperties(text_, OffsetOf(mark)), key)) {
      if (piece.properties.empty()) piece.begin = word->begin;
      piece.token = text_.substr(word->begin, word->end - word->begin);
      piece.end = word->end;
    }
    Tell(mark, "null", anchor, "", "");
    Add(std::move(piece));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Piece piece;
    piece.kind = Kind::kAlias;
    const Span span = WordAt(text_, OffsetOf(mark));
    piece.begin = span.begin;
    piece.end = span.end;
    piece.token = text_.substr(span.begin, span.end - span.begin);
    Tell(mark, "alias", anchor, "", "");
    Add(std::move(piece));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Piece piece = Begin(mark, Kind::kScalar);
    const Span span = ScalarAt(text_, piece.begin, value);
    piece.token = text_.substr(span.begin, span.end - span.begin);
    piece.end = span.end;
    const bool block = !piece.token.empty() && (piece.token[0] == '|' || piece.token[0] == '>');
    if (block) {
      const std::size_t header = std::min(piece.token.find('\n'), piece.token.size());
      if (piece.token.substr(0, header).find_first_of("123456789") != std::string_view::npos) {
        throw Unsupported{span.begin, "a block scalar that gives its indentation"};
      }
    }
    Tell(mark, "scalar", anchor, tag, value);
    Add(std::move(piece));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, '[', Kind::kFlowList, Kind::kBlockList);
    Tell(mark, "list", anchor, tag, "");
  }
  void OnSequenceEnd() override { Close(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, '{', Kind::kFlowMap, Kind::kBlockMap);
    Tell(mark, "map", anchor, tag, "");
  }
  void OnMapEnd() override { Close('}'); }

 private:
  std::size_t OffsetOf(const YAML::Mark& mark) const {
    const auto pos = static_cast<std::size_t>(std::max(mark.pos, 0));
    return std::min(pos - std::min(pos, prefix_), text_.size());
  }

  bool IsKeyNext() const {
    return !stack_.empty() && stack_.back().is_map() && stack_.back().children.size() % 2 == 0;
  }

  // Reads the properties that stand at the mark.
  Piece Begin(const YAML::Mark& mark, Kind kind) const {
    Piece piece;
    piece.kind = kind;
    const std::size_t at = OffsetOf(mark);
    const std::size_t behind = SkipProperties(text_, at);
    piece.begin = at;
    piece.end = behind;
    if (behind > at) {
      std::istringstream words{std::string(text_.substr(at, behind - at))};
      for (std::string word; words >> word;) {
        if (word[0] == '#') {
          throw Unsupported{at, "a comment between an anchor and its value"};
        }
        piece.properties += (piece.properties.empty() ? "" : " ") + word;
      }
    }
    if (kind == Kind::kNull && piece.properties.empty()) piece.begin = piece.end = last_end_;
    return piece;
  }

  void Open(const YAML::Mark& mark, char bracket, Kind flow, Kind block) {
    Piece piece = Begin(mark, block);
    const std::size_t at = piece.end;
    if (at < text_.size() && text_[at] == bracket) {
      piece.kind = flow;
    } else if (at < text_.size() && text_[at] == '?') {
      throw Unsupported{at, "a complex key"};
    } else if (!stack_.empty() && stack_.back().is_flow()) {
      throw Unsupported{at, "a pair without braces"};
    }
    last_end_ = std::max(last_end_, piece.is_flow() ? at + 1 : at);
    stack_.push_back(std::move(piece));
  }

  void Close(char bracket) {
    events_.push_back({"end", last_end_});
    Piece piece = std::move(stack_.back());
    stack_.pop_back();
    // A block collection has entries: this one was not where its mark says.
    if (piece.is_block() && piece.children.empty()) throw Unsupported{piece.begin, "this"};
    piece.end = last_end_;
    if (piece.is_flow()) {
      std::size_t at = SkipBlanks(text_, last_end_);
      while (at < text_.size() && text_[at] != bracket) at = SkipBlanks(text_, at + 1);
      piece.end = std::min(at + 1, text_.size());
    }
    Add(std::move(piece));
  }

  void Add(Piece piece) {
    last_end_ = std::max(last_end_, piece.end);
    if (stack_.empty()) {
      root_ = std::move(piece);
      return;
    }
    if (IsKeyNext() && piece.is_block()) throw Unsupported{piece.begin, "a complex key"};
    stack_.back().children.push_back(std::move(piece));
  }

  void Tell(const YAML::Mark& mark, std::string_view what, YAML::anchor_t anchor,
            const std::string& tag, const std::string& value) {
    events_.push_back({std::string(what) + " " + std::to_string(anchor) + " " + tag + " " +
                           Quoted(value, value.size()),
                       OffsetOf(mark)});
  }

  std::string_view text_;
  std::size_t prefix_;
  std::vector<Piece> stack_;
  Piece root_;
  std::vector<LaidOut::Event> events_;
  std::size_t last_end_ = 0;
};

// Whatever stands between tokens and begins with "#".
class CommentFinder {
 public:
  explicit CommentFinder(std::string_view text) : text_(text) {}

  void Find(const LaidOut& laid_out) {
    for (const auto& document : laid_out.documents) Walk(document.root);
    Gap(text_.size());
  }

  std::vector<Comment> Take() { return std::move(comments_); }

 private:
  void Walk(const Piece& piece) {
    if (piece.children.empty()) {
      Gap(piece.begin);
      next_ = std::max(next_, piece.end);
      return;
    }
    Gap(piece.begin);
    for (const Piece& child : piece.children) Walk(child);
    if (piece.is_flow()) {
      Gap(piece.end);
      next_ = std::max(next_, piece.end);
    }
  }

  void Gap(std::size_t end) {
    while (next_ < end) {
      const std::size_t in_gap = text_.substr(next_, end - next_).find('#');
      if (in_gap == std::string_view::npos) break;
      const std::size_t at = next_ + in_gap;
      next_ = at + 1;
      if (at > 0 && !IsBlank(text_[at - 1])) continue;
      std::size_t last = std::min(text_.find('\n', at), text_.size());
      next_ = last;
      while (last > at && IsBlank(text_[last - 1])) --last;
      const std::size_t line = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
      const std::string_view before = text_.substr(line, at - line);
      comments_.push_back({at, text_.substr(at, last - at),
                           before.find_first_not_of(" \t") == std::string_view::npos});
    }
    next_ = std::max(next_, end);
  }

  std::string_view text_;
  std::size_t next_ = 0;
  std::vector<Comment> comments_;
};

// The line that begins with "---" in [from, to); npos without one.
std::size_t MarkerIn(std::string_view text, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to;) {
    if (text.substr(at).starts_with("---") && (at == 0 || text[at - 1] == '\n') &&
        (at + 3 == text.size() || IsBlank(text[at + 3]))) {
      return at;
    }
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string_view::npos) break;
    at = newline + 1;
  }
  return std::string_view::npos;
}

}  // namespace

Outcome<LaidOut> ReadLayout(const Source& source) {
  const auto parsed = ParseYaml(source);
  if (!parsed) return parsed.diagnostics();
  const std::size_t base = TextBegin(source);
  const std::string_view text = source.text().substr(base);
  const auto refuse = [&](std::size_t at, const std::string& what) {
    const Span word = WordAt(text, std::min(at, text.size()));
    return MakeDiagnostic(Code::kYamlSyntax,
                          {&source, static_cast<std::uint32_t>(base + word.begin),
                           static_cast<std::uint32_t>(base + word.end)},
                          what + " cannot be laid out", "write it without");
  };
  for (std::size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size()) + 1) {
    if (text[at] == '%') return refuse(at, "a directive");
  }
  LaidOut laid_out;
  laid_out.text = text;
  const std::string prefix = "--- ";
  const std::size_t first = SkipBlanks(text, 0);
  const bool bracket = first < text.size() && (text[first] == '{' || text[first] == '[');
  Builder builder(text, bracket ? prefix.size() : 0);
  std::istringstream stream((bracket ? prefix : std::string()) + std::string(text));
  try {
    YAML::Parser parser(stream);
    std::size_t previous = 0;
    while (parser.HandleNextDocument(builder)) {
      LaidOut::Document document;
      document.root = builder.TakeDocument();
      const std::size_t marker = MarkerIn(text, previous, std::max(document.root.begin, previous));
      document.has_marker = marker != std::string_view::npos;
      document.marker = document.has_marker ? marker : previous;
      previous = builder.last_end();
      laid_out.documents.push_back(std::move(document));
    }
  } catch (const Unsupported& unsupported) {
    return refuse(unsupported.at, unsupported.what);
  } catch (const YAML::Exception&) {
    return refuse(0, "this text");
  }
  laid_out.events = builder.TakeEvents();
  CommentFinder finder(text);
  finder.Find(laid_out);
  laid_out.comments = finder.Take();
  return laid_out;
}

}  // namespace march::yaml
