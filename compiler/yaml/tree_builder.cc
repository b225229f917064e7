#include "compiler/yaml/tree_builder.h"

#include <yaml-cpp/mark.h>

#include <algorithm>

#include "compiler/yaml/merge.h"
#include "compiler/yaml/quote.h"
#include "compiler/yaml/syntax_error.h"
#include "compiler/yaml/text_check.h"

namespace march::yaml {
namespace {

constexpr std::string_view kCorePrefix = "tag:yaml.org,2002:";

// Whether a line from `begin` to `end` of the text ends a document.
bool HasDocumentEnd(std::string_view text, std::size_t begin, std::size_t end) {
  for (std::size_t at = text.find("...", begin); at < end; at = text.find("...", at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return true;
  }
  return false;
}

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8LengthAt(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace

TreeBuilder::TreeBuilder(const Source& source, std::size_t base, const ParseLimits& limits,
                         Diagnostics& out)
    : source_(source), base_(base), limits_(limits), out_(out), last_end_(base) {
  // A bracket that opens a text could be a key, and the parser would hold back the whole document
  // until it knows; behind a document marker it cannot be.
  const std::size_t first = SkipBlanks(text(), base);
  if (first < text().size() && (text()[first] == '{' || text()[first] == '[')) prefix_ = "--- ";
}

NodePtr TreeBuilder::TakeDocument() {
  anchors_.clear();
  NodePtr document = std::move(root_);
  root_ = nullptr;
  return document && document->kind != Node::Kind::kNull ? document : nullptr;
}

SourceRange TreeBuilder::OpenCollection() const {
  return stack_.empty() ? SourceRange{} : stack_.back().node->range;
}

std::size_t TreeBuilder::OffsetOf(const YAML::Mark& mark) const {
  const auto pos = static_cast<std::size_t>(std::max(mark.pos, 0));
  return std::min(base_ + pos - std::min(pos, prefix_.size()), text().size());
}

SourceRange TreeBuilder::RangeOf(Span span) const {
  const std::size_t size = text().size();
  return {&source_, static_cast<std::uint32_t>(std::min(span.begin, size)),
          static_cast<std::uint32_t>(std::min(span.end, size))};
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  const std::size_t pos = OffsetOf(mark);
  // The parser takes whatever follows a complete value for a document of its own.
  if (!first_document_ && !text().substr(pos).starts_with("---") &&
      !HasDocumentEnd(text(), last_end_, pos)) {
    throw StopDocument{MakeDiagnostic(Code::kYamlSyntax, RangeOf(WordAt(text(), pos)),
                                      "this stands behind the end of the document's value",
                                      "check the indentation, or begin a new document with ---")};
  }
  first_document_ = false;
  last_end_ = pos;
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const std::size_t pos = SkipProperties(text(), OffsetOf(mark));
  auto node = std::make_shared<Node>();
  const bool in_map = !stack_.empty() && stack_.back().node->kind == Node::Kind::kMap;
  const bool is_key = in_map && !stack_.back().key;
  if (const auto word = NullWordAt(text(), pos, is_key)) {
    last_end_ = word->end;
    node->range = RangeOf(*word);
  } else if (in_map && !is_key) {
    node->range = stack_.back().key->range;
  } else {
    node->range = RangeOf(EmptyValueAt(pos));
  }
  Remember(anchor, node, {});
  Add(std::move(node), {});
}

// The place of an entry of a list that holds nothing: its dash, or what stands in its stead.
Span TreeBuilder::EmptyValueAt(std::size_t pos) const {
  if (!stack_.empty() && stack_.back().node->kind == Node::Kind::kSequence) {
    const std::size_t begin = stack_.back().node->range.begin;
    if (text()[begin] == '-') {
      const std::size_t dash = SkipBlanks(text(), std::max<std::size_t>(begin, last_end_));
      if (dash < text().size() && text()[dash] == '-') return {dash, dash + 1};
      return {begin, begin + 1};
    }
  }
  return {pos, std::min(pos + 1, text().size())};
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const SourceRange range = RangeOf(WordAt(text(), OffsetOf(mark)));
  last_end_ = range.end;
  const bool known = anchor >= 1 && anchor <= anchors_.size();
  if (!known || !anchors_[anchor - 1].node) {
    throw StopDocument{MakeDiagnostic(Code::kYamlUnknownAlias, range,
                                      "an alias to the node that contains it",
                                      "write the value out: a policy cannot contain itself")};
  }
  const Anchored& target = anchors_[anchor - 1];
  if (stack_.size() + target.size.height > limits_.max_depth) {
    throw StopDocument{MakeDiagnostic(
        Code::kYamlTooDeep, range,
        "aliases nest more than " + std::to_string(limits_.max_depth) + " collections",
        "a policy needs four; to allow more: --limit depth=N")};
  }
  aliased_nodes_ += target.size.nodes;
  if (aliased_nodes_ > limits_.max_aliased_nodes) {
    throw StopDocument{MakeDiagnostic(
        Code::kInputTooLarge, range,
        "aliases stand for more than " + std::to_string(limits_.max_aliased_nodes) + " values",
        "write fewer of them, or allow more: --limit aliased=N")};
  }
  Add(target.node, target.size);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const std::size_t pos = OffsetOf(mark);
  auto node = std::make_shared<Node>();
  node->kind = Node::Kind::kScalar;
  const Span span = ScalarAt(text(), pos, value);
  // The parser lets a quoted scalar end with the last line of the text.
  if (span.end == std::string_view::npos) throw StopDocument{UnclosedQuote(source_, span.begin)};
  node->range = RangeOf(span);
  node->scalar = value;
  last_end_ = node->range.end;
  // "!" is every scalar that is not plain; "?" every plain one without a tag.
  node->quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
  if (tag != "?" && tag != "!") {
    CheckTag(tag, pos, {"str", "int", "float", "bool", "null"});
    if (tag == "tag:yaml.org,2002:null") node->kind = Node::Kind::kNull;
  }
  // The parser turns the escapes \N and \_ into bytes that are no characters.
  if (node->quoted && !IsUtf8(value)) {
    out_.push_back(MakeDiagnostic(Code::kYamlSyntax, node->range,
                                  "the escapes \\N and \\_ cannot be used",
                                  "write \\u0085 or \\u00A0"));
  }
  Remember(anchor, node, {});
  Add(std::move(node), {});
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  if (tag != "?" && tag != "!") CheckTag(tag, OffsetOf(mark), {"seq"});
  OpenCollectionNode(mark, anchor, Node::Kind::kSequence);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  if (tag != "?" && tag != "!") CheckTag(tag, OffsetOf(mark), {"map"});
  OpenCollectionNode(mark, anchor, Node::Kind::kMap);
}

void TreeBuilder::OpenCollectionNode(const YAML::Mark& mark, YAML::anchor_t anchor,
                                     Node::Kind kind) {
  const std::size_t pos = SkipProperties(text(), OffsetOf(mark));
  if (stack_.size() >= limits_.max_depth) {
    throw StopDocument{MakeDiagnostic(
        Code::kYamlTooDeep, RangeOf({pos, pos + 1}),
        "more than " + std::to_string(limits_.max_depth) + " collections inside each other",
        "a policy needs four; to allow more: --limit depth=N")};
  }
  Frame frame;
  frame.node = std::make_shared<Node>();
  frame.node->kind = kind;
  frame.node->range = RangeOf({pos, pos + 1});
  frame.size.height = 1;
  frame.anchor = anchor;
  Remember(anchor, nullptr, {});
  last_end_ = std::max<std::size_t>(last_end_, frame.node->range.begin);
  stack_.push_back(std::move(frame));
}

void TreeBuilder::CloseCollection() {
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  if (frame.node->kind == Node::Kind::kMap) ResolveMerges(*frame.node, out_);
  Remember(frame.anchor, frame.node, frame.size);
  Add(std::move(frame.node), frame.size);
}

void TreeBuilder::Add(NodePtr node, Size size) {
  if (stack_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& parent = stack_.back();
  parent.size.height = std::max(parent.size.height, size.height + 1);
  parent.size.nodes += size.nodes;
  if (parent.node->kind == Node::Kind::kSequence) {
    parent.node->sequence.push_back(std::move(node));
  } else if (!parent.key) {
    // A map without braces begins with its first key.
    if (parent.node->map.empty() && node->range.begin == parent.node->range.begin) {
      parent.node->range.end = node->range.end;
    }
    parent.key = std::move(node);
  } else {
    parent.node->map.push_back({std::move(parent.key), std::move(node)});
    parent.key = nullptr;
  }
}

void TreeBuilder::Remember(YAML::anchor_t anchor, const NodePtr& node, Size size) {
  if (anchor == 0) return;
  if (anchors_.size() < anchor) anchors_.resize(anchor);
  anchors_[anchor - 1] = {node, size};
}

void TreeBuilder::CheckTag(const std::string& tag, std::size_t pos,
                           std::initializer_list<std::string_view> fitting) {
  std::string message = "the tag " + Quoted(tag) + " has no meaning in a policy";
  if (tag.starts_with(kCorePrefix)) {
    const std::string_view name = std::string_view(tag).substr(kCorePrefix.size());
    if (std::find(fitting.begin(), fitting.end(), name) != fitting.end()) return;
    message = "the tag " + Quoted("!!" + std::string(name)) + " does not fit this value";
  }
  out_.push_back(MakeDiagnostic(Code::kYamlSyntax, RangeOf(WordAt(text(), pos)), std::move(message),
                                "remove the tag"));
}

}  // namespace march::yaml
