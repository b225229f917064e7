#include "compiler/checks/check_draft.h"

namespace march::checks {

void CheckDraft(const model::Draft& draft, Diagnostics& out) {
  for (const auto check :
       {CheckDuplicateNames, CheckConflictingSettings, CheckUnknownServices, CheckServiceUnions,
        CheckProtocolDetails, CheckActionAttributes, CheckLimits}) {
    check(draft, out);
  }
  // Warnings speak of what is meant, and that is known only without errors.
  if (!HasErrors(out)) CheckNoCommonFamily(draft, out);
}

}  // namespace march::checks
