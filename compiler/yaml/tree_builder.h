// From the parser's events to nodes with exact ranges.
#pragma once

#include <yaml-cpp/eventhandler.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/yaml/document.h"
#include "compiler/yaml/token.h"

namespace march::yaml {

// Thrown through the parser to leave a document whose rest must not be read.
struct StopDocument {
  Diagnostic diagnostic;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  // `base` is the offset in `source` at which the parser's input begins. Faults that leave the
  // document readable go to `out`.
  TreeBuilder(const Source& source, std::size_t base, const ParseLimits& limits, Diagnostics& out);

  // What the parser must be given before the text.
  std::string_view prefix() const { return prefix_; }
  // The offset in the source of a place in the parser's input.
  std::size_t OffsetOf(const YAML::Mark& mark) const;

  // The document that ended last; null for an empty one.
  NodePtr TakeDocument();
  // The innermost collection still open: where the parser gave up. No place if none is.
  SourceRange OpenCollection() const;
  // The offset behind the last thing understood.
  std::size_t last_end() const { return last_end_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { CloseCollection(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { CloseCollection(); }

 private:
  // How large a node is when its aliases are written out, to bound what a walk over it costs.
  struct Size {
    unsigned height = 0;  // of the tallest path of collections
    std::uint64_t nodes = 1;
  };
  struct Anchored {
    NodePtr node;  // null while the node is still being read
    Size size;
  };
  struct Frame {
    std::shared_ptr<Node> node;
    NodePtr key;  // of a map, while its value is awaited
    Size size;
    YAML::anchor_t anchor = 0;
  };

  std::string_view text() const { return source_.text(); }
  SourceRange RangeOf(Span span) const;
  void OpenCollectionNode(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind);
  void CloseCollection();
  void Add(NodePtr node, Size size);
  void Remember(YAML::anchor_t anchor, const NodePtr& node, Size size);
  Span EmptyValueAt(std::size_t pos) const;
  void CheckTag(const std::string& tag, std::size_t pos,
                std::initializer_list<std::string_view> fitting);

  const Source& source_;
  const std::size_t base_;
  std::string_view prefix_;
  const ParseLimits& limits_;
  Diagnostics& out_;
  std::vector<Frame> stack_;
  std::vector<Anchored> anchors_;  // by the parser's numbers, which begin at 1
  NodePtr root_;
  std::size_t last_end_;
  std::uint64_t aliased_nodes_ = 0;
  bool first_document_ = true;
};

}  // namespace march::yaml
