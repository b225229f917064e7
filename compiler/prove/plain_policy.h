// The policy as the proof reads it: plain rule matching over the model, with nothing of the
// compiler's rule sets or classes.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/model/policy.h"
#include "compiler/prove/fault.h"
#include "compiler/prove/settle.h"
#include "compiler/prove/table_reader.h"
#include "compiler/space/interval_set.h"

namespace march::prove {

using KeyIntervals = std::vector<space::Interval<std::uint32_t>>;

// One mapping, its layer 4 as keys of struct march_key: those of whole packets, and, from
// MARCH_L4_FRAGMENT on, those of later fragments, a protocol at a multiple of 2^16.
struct PlainMapping {
  std::uint32_t mapping = 0;  // index into Policy::mappings
  std::uint32_t slot = 0;
  bool allow = false;
  bool audit = false;
  KeyIntervals certain;       // where it matches, if the source port does
  KeyIntervals perhaps;       // of fragments: where it matches at some ports
  KeyIntervals source_ports;  // empty: all
};

enum class End { kSource, kDestination };

// The addresses of one end and family, as tables divide them into classes, and which mappings hold
// those of each class.
struct ClassesOfEnd {
  struct Class {
    std::uint32_t value = 0;                  // as in AddressRange
    std::vector<space::Uint128> edges;        // first and last of each range, ascending
    std::vector<std::uint64_t> mapping_bits;  // by place in PlainPolicy::mappings()
  };
  std::size_t ranges = 0;
  std::vector<Class> classes;  // by value
};

class PlainPolicy {
 public:
  // `policy` must outlive it.
  explicit PlainPolicy(const model::Policy& policy);

  const model::Policy& policy() const { return policy_; }
  // In order of precedence.
  const std::vector<PlainMapping>& mappings() const { return mappings_; }
  bool default_allow() const { return default_allow_; }
  // Of whole packets that have ports or types: where the mappings begin to match, ascending.
  const std::vector<std::uint32_t>& telling_keys() const { return telling_keys_; }

  // Raises a fault where a range holds addresses that the policy tells apart, or two ranges of one
  // class do.
  ClassesOfEnd ReadClasses(const std::vector<AddressRange>& ranges, space::Family family, End end,
                           Fault& fault) const;

 private:
  const std::optional<std::vector<std::uint32_t>>& ServicesAt(std::uint32_t place, End end) const;
  bool MatchesNothing(std::uint32_t place, space::Family family) const;

  const model::Policy& policy_;
  bool default_allow_;
  std::vector<PlainMapping> mappings_;
  std::vector<std::uint32_t> telling_keys_;
  std::vector<space::AddressSet> held_;  // by service
};

}  // namespace march::prove
