#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

// `definitions` are sorted by name, then place.
template <class Definition>
void CheckSorted(const std::vector<Definition>& definitions, const std::string& what,
                 Diagnostics& out) {
  const Definition* first = nullptr;
  for (const Definition& definition : definitions) {
    if (first == nullptr || first->name.value != definition.name.value) {
      first = &definition;
      continue;
    }
    out.push_back(MakeDiagnostic(Code::kDuplicateName, definition.name.place,
                                 "the " + what + " " + yaml::Quoted(definition.name.value) +
                                     " is already defined",
                                 "give one of them another name, or remove it")
                      .WithNote(first->name.place, "first defined here"));
  }
}

}  // namespace

void CheckDuplicateNames(const model::Draft& draft, Diagnostics& out) {
  CheckSorted(draft.services, "service", out);
  CheckSorted(draft.mappings, "mapping", out);
}

}  // namespace march::checks
