#include <algorithm>
#include <string>

#include "base/ascii.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/space/address.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

// RFC 1035, section 2.3.4; without the dot at the end.
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;

struct Fault {
  std::string cause;
  std::string hint;
};

Fault LabelFault(std::string_view label) {
  const std::string shown = "the part " + yaml::Quoted(label);
  if (label == "*") {
    return {"a \"*\" stands for the whole beginning or nothing",
            "write it once, as the first part: *.example.com"};
  }
  if (label.size() > kMaxLabel) return {shown + " is longer than 63 characters", "shorten it"};
  if (label.starts_with('-') || label.ends_with('-')) {
    return {shown + " begins or ends with \"-\"", "move the \"-\" inside"};
  }
  const std::size_t bad = label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_");
  if (bad == std::string_view::npos) return {};
  if (static_cast<unsigned char>(label[bad]) >= 0x80) {
    return {shown + " is not ASCII", "write it in its encoded form: xn--..."};
  }
  return {shown + " has a character that names may not have",
          "use letters, digits and \"-\" between dots"};
}

Fault FaultOf(std::string_view name) {
  if (name.empty()) return {"it is empty", "write a name, as in api.example.com"};
  if (name.size() > kMaxName) return {"it is longer than 253 characters", "shorten it"};
  if (name.find("://") != std::string_view::npos) {
    return {"it is a URL", "write the name between \"://\" and the next \"/\" or \":\""};
  }
  if (space::Address::Parse(name) || name.find(':') != std::string_view::npos) {
    return {"it is an address or has a port",
            "addresses go under \"addresses\", ports under "
            "\"ports\""};
  }
  if (name.ends_with('.')) return {"it ends with a dot", "remove the dot"};
  if (name.starts_with("*.")) name.remove_prefix(2);
  while (true) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string_view label = name.substr(0, dot);
    if (label.empty()) return {"it has an empty part", "write one dot between its parts"};
    if (Fault fault = LabelFault(label); !fault.cause.empty()) return fault;
    if (dot == name.size()) return {};
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::optional<std::string> ReadHostname(const yaml::Node& node, Diagnostics& out) {
  if (!IsScalar(node, "a host name", out)) return std::nullopt;
  std::string name = node.scalar;
  std::transform(name.begin(), name.end(), name.begin(), ToLower);
  const Fault fault = FaultOf(name);
  if (fault.cause.empty()) return name;
  out.push_back(MakeDiagnostic(Code::kBadHostname, node.range,
                               yaml::Quoted(node.scalar) + " is not a host name: " + fault.cause,
                               fault.hint));
  return std::nullopt;
}

}  // namespace march::model
