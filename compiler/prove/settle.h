// Which of the mappings that match a packet decide it (design section 2), for both sides of the
// proof: mappings that the policy says match, and mappings that the tables say match.
#pragma once

#include <cstdint>

#include "bundle/abi/verdict.h"

namespace march::prove {

// A mapping that matches, or might.
struct Match {
  std::uint32_t slot = 0;  // in order of precedence
  bool allow = false;
  bool audit = false;
  bool certain = true;  // false for a later fragment that it matches at some ports only

  friend bool operator==(const Match&, const Match&) = default;
};

// What becomes of a packet.
struct Fate {
  std::uint32_t slot = MARCH_SLOT_DEFAULT;
  bool allow = false;
  std::uint32_t audit = 0;  // the slot of the mapping under audit that would decide; 0 for none

  friend bool operator==(const Fate&, const Fate&) = default;
};

// Takes matches in order of precedence. A later fragment passes if the first mapping that matches
// it at every port allows it, and none before that could match and deny.
class Settling {
 public:
  explicit Settling(bool default_allow) : default_allow_(default_allow) {}

  // True when nothing that follows can matter.
  bool Add(const Match& match) {
    if (match.audit) {
      if (first_ == 0 && !audited_ && match.certain) audit_ = match.slot;
      audited_ = audited_ || first_ == 0;
      return false;
    }
    if (first_ == 0) first_ = match.slot;
    denied_ = denied_ || !match.allow;
    certain_ = match.certain ? match.slot : 0;
    allow_ = match.allow;
    return match.certain;
  }

  Fate Settle() const {
    if (first_ == 0) return {MARCH_SLOT_DEFAULT, default_allow_, audit_};
    if (certain_ == first_) return {first_, allow_, audit_};
    const bool in_the_end = certain_ != 0 ? allow_ : default_allow_;
    if (in_the_end && !denied_) return {first_, true, audit_};
    return {MARCH_SLOT_FRAGMENT, false, audit_};
  }

 private:
  bool default_allow_;
  bool audited_ = false;  // some mapping under audit came before all others
  std::uint32_t audit_ = 0;
  std::uint32_t first_ = 0;
  std::uint32_t certain_ = 0;
  bool denied_ = false;
  bool allow_ = false;
};

}  // namespace march::prove
