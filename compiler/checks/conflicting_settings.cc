#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

// `settings` are in the order of their places.
template <class T>
void CheckEqual(const std::vector<model::Written<T>>& settings, const std::string& what,
                Diagnostics& out) {
  for (const auto& setting : settings) {
    if (setting.value == settings.front().value) continue;
    out.push_back(MakeDiagnostic(Code::kConflictingSetting, setting.place,
                                 what + " is set twice, to different values",
                                 "set it once, or to the same value everywhere")
                      .WithNote(settings.front().place, "first set here"));
  }
}

}  // namespace

void CheckConflictingSettings(const model::Draft& draft, Diagnostics& out) {
  CheckEqual(draft.clusters, "cluster", out);
  CheckEqual(draft.default_actions, "defaults.action", out);
  CheckEqual(draft.default_stateful, "defaults.stateful", out);
}

}  // namespace march::checks
