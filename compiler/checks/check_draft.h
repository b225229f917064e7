// What a policy must make sense of beyond its form. One check, one file; the list is in
// check_draft.cc. Checks look at the draft, whose type is all they know of the model.
#pragma once

#include "base/diagnostic.h"
#include "compiler/model/draft.h"

namespace march::checks {

// Runs every check. Without errors in `out` afterwards, every name in the draft is unique and
// known, and its settings agree.
void CheckDraft(const model::Draft& draft, Diagnostics& out);

// kDuplicateName: a service or mapping defined twice.
void CheckDuplicateNames(const model::Draft& draft, Diagnostics& out);
// kConflictingSetting: documents that disagree on `cluster` or `defaults.action`.
void CheckConflictingSettings(const model::Draft& draft, Diagnostics& out);
// kUnknownService: a name in `from` or `to` that no service has.
void CheckUnknownServices(const model::Draft& draft, Diagnostics& out);
// kPortsWithoutPorts: `ports` beside a protocol that has none.
void CheckPortsWithoutPorts(const model::Draft& draft, Diagnostics& out);
// kNoCommonFamily, a warning: ends that no packet can have both. Names are known.
void CheckNoCommonFamily(const model::Draft& draft, Diagnostics& out);

}  // namespace march::checks
