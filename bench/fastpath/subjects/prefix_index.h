// The distinct prefixes of rules, numbered so that those inside a prefix follow it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/rulesets/rulesets.h"

namespace march::bench {

class PrefixIndex {
 public:
  explicit PrefixIndex(std::vector<space::Prefix> prefixes);

  // The prefix itself and all others that lie in it: [first, last).
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint64_t size() const { return last - first; }
  };
  Range Inside(const space::Prefix& prefix) const;

  // The longest prefix that holds an address.
  std::optional<std::uint32_t> Longest(space::Uint128 address) const;

  // Calls visit(number) for the prefix and all that hold it, from the inside out.
  template <class Visit>
  void ForEachAround(std::uint32_t number, Visit visit) const {
    for (;; number = parents_[number]) {
      visit(number);
      if (parents_[number] == number) return;
    }
  }

  const std::vector<space::Prefix>& prefixes() const { return prefixes_; }

  // struct bench_lpm4 or bench_lpm6, one after the other.
  std::string LpmKeys() const;

 private:
  std::uint32_t Find(const space::Prefix& prefix) const;

  std::vector<space::Prefix> prefixes_;
  std::vector<std::uint32_t> ends_;     // of the range of each
  std::vector<std::uint32_t> parents_;  // the next shorter that holds each; itself if none does
};

std::vector<space::Prefix> SourcesOf(const std::vector<tests::PlainRule>& rules);
std::vector<space::Prefix> DestinationsOf(const std::vector<tests::PlainRule>& rules);

}  // namespace march::bench
