// Whether a change of a policy is its author's to make.
#pragma once

#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/model/policy.h"
#include "compiler/ownership/ownership.h"
#include "compiler/ruleset/ruleset.h"

namespace march::ownership {

// A policy as it was, or is to be. Does not own.
struct State {
  const model::Policy& policy;
  const ruleset::RuleSet& rules;
  const Ownership& ownership;
};

// Whose change it is: as much as somebody has verified, and no more. Whoever writes a commit also
// writes its author's e-mail address, and could write a fingerprint there.
struct Author {
  std::string_view name;  // an e-mail address, or the fingerprint of a key
  bool is_key = false;
};

// Everything in the change from `base` to `next` that `who` may not do. Who owns what is for the
// base to say, so that a change cannot permit itself. Both what is written and what it does are
// looked at: a definition is changed by its owners only, and a packet's verdict (or what is done
// with it beyond) by those who own the traffic, whichever definition does it. Errors: kNoOwnership,
// kNotAnOwner, kNotTheirDefinition, kNotTheirTraffic with a packet.
Diagnostics CheckChange(const State& base, const State& next, const Author& who);

// A service, mapping or setting that is not the same in both.
struct Definition {
  enum class Kind { kService, kMapping, kOwner, kCluster, kDefault };
  Kind kind = Kind::kService;
  std::string_view name;  // of a service, mapping or owner
  SourceRange place;      // in `next`; of what was removed, in `base`; may be none
  const char* verb = "";  // "added", "removed", "changed"
};

// By their meaning: order, files, layout and YAML comments do not count.
std::vector<Definition> ChangedDefinitions(const State& base, const State& next);

}  // namespace march::ownership
