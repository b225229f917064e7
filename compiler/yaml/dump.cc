#include "compiler/yaml/document.h"
#include "compiler/yaml/quote.h"

namespace march::yaml {
namespace {

void DumpNode(const Node& node, std::size_t depth, std::string_view label, std::string& out) {
  const Position at = node.range.source->PositionOf(node.range.begin);
  out += std::to_string(at.line) + ":" + std::to_string(at.column) + " ";
  out.append(2 * depth, ' ');
  out += label;
  switch (node.kind) {
    case Node::Kind::kNull:
      out += "null\n";
      break;
    case Node::Kind::kScalar:
      out += (node.quoted ? "string " : "plain ") + Quoted(node.scalar, node.scalar.size()) + "\n";
      break;
    case Node::Kind::kSequence:
      out += "list\n";
      for (const NodePtr& child : node.sequence) DumpNode(*child, depth + 1, "- ", out);
      break;
    case Node::Kind::kMap:
      out += "map\n";
      for (const Entry& entry : node.map) {
        DumpNode(*entry.key, depth + 1, "key ", out);
        DumpNode(*entry.value, depth + 2, "", out);
      }
      break;
  }
}

}  // namespace

std::string Dump(const PolicyDoc& doc) {
  std::string out;
  for (const NodePtr& document : doc.documents) {
    out += "document " + document->range.source->name() + "\n";
    DumpNode(*document, 0, "", out);
  }
  return out;
}

}  // namespace march::yaml
