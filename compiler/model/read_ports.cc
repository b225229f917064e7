#include <algorithm>
#include <string>

#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using yaml::Node;
using yaml::Quoted;

constexpr std::uint32_t kMaxPort = 65535;

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The place of `part`, a view into the scalar: inside the token when the token spells the scalar
// letter by letter, else the whole token.
SourceRange PlaceOf(const Node& node, std::string_view part) {
  const std::size_t begin = node.range.begin + (node.quoted ? 1U : 0U);
  if (node.range.source->text().substr(begin, node.scalar.size()) != node.scalar) return node.range;
  const auto offset = static_cast<std::size_t>(part.data() - node.scalar.data());
  const auto from = static_cast<std::uint32_t>(begin + offset);
  return {node.range.source, from, from + static_cast<std::uint32_t>(part.size())};
}

std::string PortHint(std::string_view text) {
  if (text.empty()) return "remove the comma";
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    return text[0] == '0' && text.size() > 1 ? "write it without leading zeros"
                                             : "ports go from 0 to 65535";
  }
  if (text.starts_with("0x") || text.starts_with("0o") ||
      text.find('_') != std::string_view::npos) {
    return "write the number in decimal digits";
  }
  if (text.find(' ') != std::string_view::npos) return "write a range without spaces: 8000-8100";
  if ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) {
    return "ports are numbers, as in 443";
  }
  return "write a number from 0 to 65535, or a range: 8000-8100";
}

std::optional<std::uint16_t> ReadPort(const Node& node, std::string_view text, Diagnostics& out) {
  const auto port = space::ParseNumber(text, kMaxPort);
  if (port) return static_cast<std::uint16_t>(*port);
  out.push_back(MakeDiagnostic(Code::kBadPort, text.empty() ? node.range : PlaceOf(node, text),
                               text.empty() ? "a port is missing" : Quoted(text) + " is not a port",
                               PortHint(text)));
  return std::nullopt;
}

void ReadRange(const Node& node, std::string_view text, std::vector<PortRange>& ports,
               Diagnostics& out) {
  const std::size_t dash = text.find('-', 1);
  // With spaces inside it is no range but something to be told about as a whole.
  if (dash == std::string_view::npos || text.find(' ') != std::string_view::npos) {
    if (const auto port = ReadPort(node, text, out)) ports.push_back({*port, *port});
    return;
  }
  if (dash + 1 == text.size()) {
    out.push_back(MakeDiagnostic(Code::kBadPort, PlaceOf(node, text),
                                 "the port range " + Quoted(text) + " has no end",
                                 "write the last port too, as in 1024-65535"));
    return;
  }
  const auto first = ReadPort(node, text.substr(0, dash), out);
  const auto last = ReadPort(node, text.substr(dash + 1), out);
  if (!first || !last) return;
  if (*first > *last) {
    out.push_back(MakeDiagnostic(Code::kBadPort, PlaceOf(node, text),
                                 "the port range " + std::string(text) + " runs backwards",
                                 "write " + std::to_string(*last) + "-" + std::to_string(*first)));
    return;
  }
  ports.push_back({*first, *last});
}

}  // namespace

void ReadPorts(const Node& node, std::vector<PortRange>& ports, Diagnostics& out) {
  if (!IsScalar(node, "a port", out)) return;
  std::string_view rest = node.scalar;
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    ReadRange(node, Trimmed(rest.substr(0, comma)), ports, out);
    if (comma == rest.size()) return;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace march::model
