#include "compiler/lint/lint.h"

namespace march::lint {

Diagnostics Lint(const model::Policy& policy, const ruleset::RuleSet& rules) {
  Diagnostics out;
  CheckReachability(policy, rules, out);
  CheckBreadth(rules, out);
  CheckServices(policy, out);
  CheckFamilies(policy, rules, out);
  SortByPlace(out);
  return out;
}

}  // namespace march::lint
