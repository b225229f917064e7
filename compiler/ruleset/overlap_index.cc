#include "compiler/ruleset/overlap_index.h"

#include <algorithm>

namespace march::ruleset {
namespace {

constexpr std::size_t kFamilies = 2;

std::size_t MiddleOf(std::size_t begin, std::size_t end) {
  return begin + (end - begin) / 2;
}

}  // namespace

void IntervalIndex::Add(Point first, Point last, std::uint32_t rule) {
  entries_.push_back({first, last, last, rule});
  lasts_.push_back(last);
}

void IntervalIndex::Build() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.first < b.first; });
  std::sort(lasts_.begin(), lasts_.end());
  if (!entries_.empty()) BuildTree(0, entries_.size());
}

IntervalIndex::Point IntervalIndex::BuildTree(std::size_t begin, std::size_t end) {
  const std::size_t middle = MiddleOf(begin, end);
  Point greatest = entries_[middle].last;
  if (begin < middle) greatest = std::max(greatest, BuildTree(begin, middle));
  if (middle + 1 < end) greatest = std::max(greatest, BuildTree(middle + 1, end));
  entries_[middle].greatest = greatest;
  return greatest;
}

std::size_t IntervalIndex::Count(Point first, Point last) const {
  const auto begin_by =
      std::upper_bound(entries_.begin(), entries_.end(), last,
                       [](Point point, const Entry& entry) { return point < entry.first; });
  const auto end_before = std::lower_bound(lasts_.begin(), lasts_.end(), first);
  return static_cast<std::size_t>(begin_by - entries_.begin()) -
         static_cast<std::size_t>(end_before - lasts_.begin());
}

void IntervalIndex::Find(Point first, Point last, std::vector<std::uint32_t>& rules) const {
  Find(0, entries_.size(), first, last, rules);
}

void IntervalIndex::Find(std::size_t begin, std::size_t end, Point first, Point last,
                         std::vector<std::uint32_t>& rules) const {
  if (begin >= end) return;
  const std::size_t middle = MiddleOf(begin, end);
  const Entry& entry = entries_[middle];
  if (entry.greatest < first) return;
  Find(begin, middle, first, last, rules);
  if (entry.first > last) return;
  if (entry.last >= first) rules.push_back(entry.rule);
  Find(middle + 1, end, first, last, rules);
}

std::vector<OverlapIndex::Part> OverlapIndex::PartsOf(const Rule& rule, std::size_t field) {
  std::vector<Part> parts;
  if (field == kFields - 1) {
    for (const auto& part : rule.l4.intervals()) {
      parts.push_back({field * kFamilies, part.first, part.last});
    }
    return parts;
  }
  const space::AddressSet& addresses = field == 0 ? *rule.source : *rule.destination;
  for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
    const std::size_t axis = field * kFamilies + (family == space::Family::kV6 ? 1 : 0);
    for (const auto& part : addresses.In(family).intervals()) {
      parts.push_back({axis, part.first, part.last});
    }
  }
  return parts;
}

OverlapIndex::OverlapIndex(const std::vector<Rule>& rules)
    : rules_(rules), axes_(kFields * kFamilies) {
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    for (std::size_t field = 0; field < kFields; ++field) {
      for (const Part& part : PartsOf(rules[i], field)) {
        axes_[part.axis].Add(part.first, part.last, i);
      }
    }
  }
  for (IntervalIndex& axis : axes_) axis.Build();
}

std::vector<std::uint32_t> OverlapIndex::Near(std::uint32_t rule) const {
  std::vector<Part> best;
  std::size_t fewest = 0;
  for (std::size_t field = 0; field < kFields; ++field) {
    std::vector<Part> parts = PartsOf(rules_[rule], field);
    std::size_t count = 0;
    for (const Part& part : parts) count += axes_[part.axis].Count(part.first, part.last);
    if (field > 0 && count >= fewest) continue;
    fewest = count;
    best = std::move(parts);
  }
  std::vector<std::uint32_t> near;
  near.reserve(fewest);
  for (const Part& part : best) axes_[part.axis].Find(part.first, part.last, near);
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  near.erase(std::remove(near.begin(), near.end(), rule), near.end());
  return near;
}

}  // namespace march::ruleset
