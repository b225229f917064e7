// Sets of numbers as sorted, disjoint, inclusive intervals with gaps between them: the one normal
// form, so equal sets are equal values.
#pragma once

#include <algorithm>
#include <utility>
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

template <class T>
IntervalSet<T> Union(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  std::vector<Interval<T>> parts = a.intervals();
  parts.insert(parts.end(), b.intervals().begin(), b.intervals().end());
  return IntervalSet<T>(std::move(parts));
}

// What is in `a` and not in `b`.
template <class T>
IntervalSet<T> Subtract(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  std::vector<Interval<T>> parts;
  auto hole = b.intervals().begin();
  for (Interval<T> rest : a.intervals()) {
    while (hole != b.intervals().end() && hole->last < rest.first) ++hole;
    bool gone = false;
    for (auto it = hole; it != b.intervals().end() && it->first <= rest.last && !gone; ++it) {
      if (it->first > rest.first) parts.push_back({rest.first, static_cast<T>(it->first - 1)});
      gone = it->last >= rest.last;
      if (!gone) rest.first = static_cast<T>(it->last + 1);
    }
    if (!gone) parts.push_back(rest);
  }
  return IntervalSet<T>(std::move(parts));
}

template <class T>
IntervalSet<T> Intersect(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  std::vector<Interval<T>> parts;
  auto left = a.intervals().begin();
  auto right = b.intervals().begin();
  while (left != a.intervals().end() && right != b.intervals().end()) {
    const T first = std::max(left->first, right->first);
    const T last = std::min(left->last, right->last);
    if (first <= last) parts.push_back({first, last});
    if (left->last < right->last) {
      ++left;
    } else {
      ++right;
    }
  }
  return IntervalSet<T>(std::move(parts));
}

template <class T>
bool Overlaps(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  // Goes over the smaller one and searches the larger.
  if (a.intervals().size() > b.intervals().size()) return Overlaps(b, a);
  return std::any_of(a.intervals().begin(), a.intervals().end(), [&](const Interval<T>& part) {
    const auto next =
        std::lower_bound(b.intervals().begin(), b.intervals().end(), part.first,
                         [](const Interval<T>& other, T v) { return other.last < v; });
    return next != b.intervals().end() && next->first <= part.last;
  });
}

// Whether all of `a` is in `b`.
template <class T>
bool IsSubset(const IntervalSet<T>& a, const IntervalSet<T>& b) {
  return std::all_of(a.intervals().begin(), a.intervals().end(), [&](const Interval<T>& part) {
    const auto next =
        std::lower_bound(b.intervals().begin(), b.intervals().end(), part.first,
                         [](const Interval<T>& other, T v) { return other.last < v; });
    return next != b.intervals().end() && next->first <= part.first && part.last <= next->last;
  });
}

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

AddressSet Union(const AddressSet& a, const AddressSet& b);
AddressSet Subtract(const AddressSet& a, const AddressSet& b);

}  // namespace march::space
