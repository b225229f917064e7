#include <algorithm>
#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

using model::Action;
using model::Attribute;
using model::DraftMapping;

bool Allows(Action action, std::string_view attribute) {
  if (action == Action::kDeny || action == Action::kReject) return false;
  if (attribute == "backends") return action == Action::kRedirect || action == Action::kProxy;
  if (attribute == "routes") return action == Action::kProxy;
  return true;
}

const Attribute* Find(const DraftMapping& mapping, std::string_view name) {
  const auto found =
      std::find_if(mapping.attributes.begin(), mapping.attributes.end(),
                   [&](const Attribute& attribute) { return attribute.name == name; });
  return found == mapping.attributes.end() ? nullptr : &*found;
}

}  // namespace

void CheckActionAttributes(const model::Draft& draft, Diagnostics& out) {
  for (const DraftMapping& mapping : draft.mappings) {
    const Action action = mapping.action.value;
    const std::string word = yaml::Quoted(model::ActionName(action));
    for (const Attribute& attribute : mapping.attributes) {
      if (Allows(action, attribute.name)) continue;
      const bool stops = action == Action::kDeny || action == Action::kReject;
      Diagnostic diagnostic =
          MakeDiagnostic(Code::kActionMismatch, attribute.place,
                         yaml::Quoted(attribute.name) + " has no meaning with the action " + word,
                         stops ? "remove it: what is not let through has nothing more"
                         : attribute.name == "routes" ? "write action: proxy"
                                                      : "write action: redirect, or action: proxy");
      if (mapping.action.place.valid()) {
        diagnostic.WithNote(mapping.action.place, "the action is given here");
      }
      out.push_back(std::move(diagnostic));
    }
    if (action == Action::kRedirect && Find(mapping, "backends") == nullptr) {
      out.push_back(MakeDiagnostic(Code::kActionMismatch, mapping.action.place,
                                   "the action \"redirect\" needs \"backends\"",
                                   "write backends: { service: NAME }"));
    }
  }
}

}  // namespace march::checks
