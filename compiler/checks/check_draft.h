// What a policy must make sense of beyond its form. One check, one file; the list is in
// check_draft.cc. Checks look at the draft, whose type is all they know of the model.
#pragma once

#include "base/diagnostic.h"
#include "compiler/model/draft.h"

namespace march::checks {

// Runs every check. Without errors in `out` afterwards, every name in the draft is unique and
// known, its services contain no circle, and its settings agree.
void CheckDraft(const model::Draft& draft, Diagnostics& out);

// kDuplicateName: a service or mapping defined twice.
void CheckDuplicateNames(const model::Draft& draft, Diagnostics& out);
// kConflictingSetting: documents that disagree on `cluster` or on something in `defaults`.
void CheckConflictingSettings(const model::Draft& draft, Diagnostics& out);
// kUnknownService: a name that no service has.
void CheckUnknownServices(const model::Draft& draft, Diagnostics& out);
// kServiceCycle, kUnionTooDeep: services that contain themselves, or too many of others.
void CheckServiceUnions(const model::Draft& draft, Diagnostics& out);
// kPortsWithoutPorts, kTypesWithoutIcmp, kBadIcmpType: ports and ICMP types beside a protocol that
// has none.
void CheckProtocolDetails(const model::Draft& draft, Diagnostics& out);
// kActionMismatch: an attribute that its mapping's action cannot use, or one that it lacks.
void CheckActionAttributes(const model::Draft& draft, Diagnostics& out);
// kBadLimit: a limit whose members do not go together, or not with `stateful: false`.
void CheckLimits(const model::Draft& draft, Diagnostics& out);
// kNoCommonFamily, a warning: ends that no packet can have both. Names are known.
void CheckNoCommonFamily(const model::Draft& draft, Diagnostics& out);

}  // namespace march::checks
