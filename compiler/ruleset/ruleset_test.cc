#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/ruleset/overlap_index.h"
#include "compiler/ruleset/regions.h"
#include "tests/random/compiled.h"
#include "tests/random/small_policy.h"

namespace march::ruleset {
namespace {

TEST_CASE("an interval index finds and counts what meets an interval") {
  tests::Random random(3);
  for (int round = 0; round < 200; ++round) {
    struct Part {
      std::uint32_t first, last;
    };
    std::vector<Part> parts;
    IntervalIndex index;
    for (std::uint32_t i = random.Below(40); i > 0; --i) {
      const std::uint32_t a = random.Below(100);
      const std::uint32_t b = random.Below(100);
      index.Add(std::min(a, b), std::max(a, b), static_cast<std::uint32_t>(parts.size()));
      parts.push_back({std::min(a, b), std::max(a, b)});
    }
    index.Build();
    for (int query = 0; query < 20; ++query) {
      const std::uint32_t a = random.Below(100);
      const std::uint32_t b = random.Below(100);
      const std::uint32_t first = std::min(a, b);
      const std::uint32_t last = std::max(a, b);
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < parts.size(); ++i) {
        if (parts[i].first <= last && first <= parts[i].last) expected.push_back(i);
      }
      std::vector<std::uint32_t> found;
      index.Find(first, last, found);
      std::sort(found.begin(), found.end());
      CHECK(found == expected);
      CHECK(index.Count(first, last) == expected.size());
    }
  }
}

TEST_CASE("whatever overlaps a rule is near it") {
  tests::Random random(4);
  std::size_t overlapping = 0;
  std::size_t near_in_all = 0;
  std::size_t pairs = 0;
  for (int round = 0; round < 300; ++round) {
    const tests::Compiled compiled(tests::SmallPolicy(random));
    const RuleSet& rules = compiled.rules;
    const OverlapIndex index(rules.rules);
    for (std::uint32_t i = 0; i < rules.rules.size(); ++i) {
      const std::vector<std::uint32_t> near = index.Near(i);
      CHECK(std::is_sorted(near.begin(), near.end()));
      CHECK_FALSE(std::binary_search(near.begin(), near.end(), i));
      for (std::uint32_t j = 0; j < rules.rules.size(); ++j) {
        if (j == i || !Overlaps(PacketsOf(rules.rules[i]), PacketsOf(rules.rules[j]))) continue;
        ++overlapping;
        CHECK(std::binary_search(near.begin(), near.end(), j));
      }
      near_in_all += near.size();
      pairs += rules.rules.size() - 1;
    }
  }
  // It is worth something only if it leaves something out.
  CHECK(overlapping > 1000);
  CHECK(near_in_all < pairs);
}

}  // namespace
}  // namespace march::ruleset
