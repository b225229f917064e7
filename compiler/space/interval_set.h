// Sets of numbers as sorted, disjoint, inclusive intervals with gaps between them: the one normal
// form, so equal sets are equal values.
#pragma once

#include <algorithm>
#include <vector>

#include "compiler/space/address.h"

namespace march::space {

template <class T>
struct Interval {
  T first{};
  T last{};  // inclusive

  friend bool operator==(const Interval&, const Interval&) = default;
};

template <class T>
class IntervalSet {
 public:
  IntervalSet() = default;

  // From intervals in any order, overlapping or touching; each has first <= last.
  explicit IntervalSet(std::vector<Interval<T>> parts) {
    std::sort(parts.begin(), parts.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const Interval<T>& part : parts) {
      // `last + 1` may wrap at the top of T, where nothing can follow.
      if (!intervals_.empty() &&
          (part.first <= intervals_.back().last || part.first - 1 == intervals_.back().last)) {
        intervals_.back().last = std::max(intervals_.back().last, part.last);
      } else {
        intervals_.push_back(part);
      }
    }
  }

  const std::vector<Interval<T>>& intervals() const { return intervals_; }
  bool empty() const { return intervals_.empty(); }

  bool Contains(T value) const {
    const auto next = std::upper_bound(intervals_.begin(), intervals_.end(), value,
                                       [](T v, const auto& part) { return v < part.first; });
    return next != intervals_.begin() && value <= std::prev(next)->last;
  }

  friend bool operator==(const IntervalSet&, const IntervalSet&) = default;

 private:
  std::vector<Interval<T>> intervals_;
};

// A set of addresses of both families.
struct AddressSet {
  IntervalSet<Uint128> v4;
  IntervalSet<Uint128> v6;

  static AddressSet Of(const std::vector<Prefix>& prefixes);
  static AddressSet Everything();

  const IntervalSet<Uint128>& In(Family family) const { return family == Family::kV4 ? v4 : v6; }
  bool Contains(const Address& address) const { return In(address.family).Contains(address.value); }
  bool empty() const { return v4.empty() && v6.empty(); }

  friend bool operator==(const AddressSet&, const AddressSet&) = default;
};

}  // namespace march::space
