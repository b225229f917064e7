#include <catch2/catch.hpp>

#include "bundle/abi/pair_hash.h"
#include "bundle/abi/verdict.h"
#include "compiler/classify/lines.h"
#include "compiler/classify/native_walk.h"
#include "compiler/classify/pairs.h"
#include "compiler/classify/partition.h"
#include "compiler/classify/tables.h"
#include "compiler/space/protocol.h"

namespace march::classify {
namespace {

using space::AddressSet;
using space::Family;
using space::Interval;
using space::IntervalSet;
using space::Uint128;

Uint128 Value(const char* text) {
  return space::Address::Parse(text)->value;
}

// A rule between single addresses or ranges; "" is any.
ruleset::Rule MakeRule(std::uint32_t mapping, model::Action action, AddressSet source,
                       AddressSet destination, std::vector<Interval<std::uint32_t>> l4) {
  return {mapping,
          "m" + std::to_string(mapping),
          {},
          action,
          0,
          std::make_shared<const AddressSet>(std::move(source)),
          std::make_shared<const AddressSet>(std::move(destination)),
          ruleset::L4Set(std::move(l4)),
          IntervalSet<std::uint16_t>({{0, 0xFFFF}}),
          {}};
}

const std::vector<Interval<std::uint32_t>> kAllL4 = {{0, MARCH_L4_FRAGMENT - 1}};

AddressSet Range4(Uint128 first, Uint128 last) {
  return {IntervalSet<Uint128>({{first, last}}), {}};
}
AddressSet Range6(Uint128 first, Uint128 last) {
  return {{}, IntervalSet<Uint128>({{first, last}})};
}

std::uint32_t Classify(const Tables& tables, Family family, Uint128 source, Uint128 destination,
                       std::uint32_t l4) {
  const march_key key = {static_cast<std::uint64_t>(source >> 64),
                         static_cast<std::uint64_t>(source),
                         static_cast<std::uint64_t>(destination >> 64),
                         static_cast<std::uint64_t>(destination),
                         l4,
                         0,
                         static_cast<std::uint32_t>(family),
                         0,
                         0,
                         0,
                         0,
                         0};
  std::uint32_t audit = 0;
  return march_native_classify(tables.words.data(), tables.words.size(), &key, &audit);
}

const std::uint32_t kDefaultDeny = MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_DEFAULT);
std::uint32_t Allow(std::uint32_t mapping) {
  return MARCH_VERDICT(MARCH_ACTION_ALLOW, MARCH_SLOT_FIRST_MAPPING + mapping);
}
std::uint32_t Deny(std::uint32_t mapping) {
  return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FIRST_MAPPING + mapping);
}

TEST_CASE("a field is cut where the sets that hold it change, and equal ones are one class") {
  const IntervalSet<Uint128> outer({{10, 99}});
  const IntervalSet<Uint128> inner({{20, 29}, {40, 49}});
  const IntervalSet<Uint128> everything({{0, 255}});
  const Partition cut = CutIntoClasses({&outer, &inner, &everything, nullptr}, 255);
  CHECK(cut.classes == 3);
  CHECK(cut.ranges[0] == std::vector<ClassRange>{{1, 2}});
  CHECK(cut.ranges[1] == std::vector<ClassRange>{{2, 2}});
  CHECK(cut.ranges[2] == std::vector<ClassRange>{{0, 2}});
  CHECK(cut.ranges[3].empty());
  std::vector<std::pair<int, std::uint32_t>> segments;
  for (const Segment& s : cut.segments)
    segments.emplace_back(static_cast<int>(s.start), s.class_id);
  CHECK(segments == std::vector<std::pair<int, std::uint32_t>>{
                        {0, 0}, {10, 1}, {20, 2}, {30, 1}, {40, 2}, {50, 1}, {100, 0}});
  const Partition coarse = CutIntoClasses({&outer, nullptr, &everything, nullptr}, 255);
  CHECK(Coarsen(cut, coarse) == std::vector<std::uint32_t>{0, 1, 1});
}

TEST_CASE("the classes of a set are ranges, however its parts lie between those of others") {
  const IntervalSet<Uint128> low({{0, 9}, {30, 39}, {60, 69}});
  const IntervalSet<Uint128> mixed({{5, 34}, {65, 70}});
  const IntervalSet<Uint128> late({{38, 62}});
  const std::vector<const IntervalSet<Uint128>*> sets = {&low, &mixed, &late};
  const Partition cut = CutIntoClasses(sets, 255);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (std::size_t s = 0; s < cut.segments.size(); ++s) {
      const std::uint32_t class_id = cut.segments[s].class_id;
      bool in_ranges = false;
      for (const ClassRange& range : cut.ranges[i]) {
        in_ranges = in_ranges || (range.first <= class_id && class_id <= range.last);
      }
      INFO(i << " at " << static_cast<int>(cut.segments[s].start));
      CHECK(in_ranges == sets[i]->Contains(cut.segments[s].start));
    }
    CHECK(cut.ranges[i].size() <= sets[i]->intervals().size());
  }
}

TEST_CASE("a field without sets is one class") {
  const Partition cut = CutIntoClasses({}, 255);
  CHECK(cut.classes == 1);
  CHECK(cut.segments.size() == 1);
}

TEST_CASE("the depth of a run is what its search needs") {
  CHECK(DepthOf(1) == 0);
  CHECK(DepthOf(2) == 1);
  CHECK(DepthOf(3) == 2);
  CHECK(DepthOf(4) == 2);
  CHECK(DepthOf(5) == 3);
  CHECK(DepthOf(1024) == 10);
  CHECK(DepthOf(1025) == 11);
}

TEST_CASE("no rules: the default decides everything, fragments too") {
  const auto tables = BuildTables({model::Action::kAllow, {}, 0});
  REQUIRE(tables.ok());
  const std::uint32_t allow = MARCH_VERDICT(MARCH_ACTION_ALLOW, MARCH_SLOT_DEFAULT);
  CHECK(Classify(*tables, Family::kV4, 0, 0xFFFFFFFF, 0) == allow);
  CHECK(Classify(*tables, Family::kV6, ~Uint128{0}, 0, MARCH_L4_FRAGMENT - 1) == allow);
  CHECK(Classify(*tables, Family::kV6, ~Uint128{0}, 0, MARCH_L4_KEYS - 1) == allow);
}

TEST_CASE("IPv4 tables with a root array are exact around every edge") {
  // One rule per network, single addresses among them, up to both ends of the address space.
  ruleset::RuleSet rules;
  std::vector<std::pair<Uint128, Uint128>> ranges;
  for (Uint128 i = 0; i < 600; ++i) {
    const Uint128 first = i * 7158278;
    ranges.emplace_back(first, first + (i % 3 == 0 ? 0 : i % 3 == 1 ? 255 : 100000));
  }
  ranges.emplace_back(0xFFFFFFFF, 0xFFFFFFFF);
  for (const auto& [first, last] : ranges) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow, Range4(first, last),
                                   AddressSet::Everything(), kAllL4));
  }
  const auto tables = BuildTables(rules);
  REQUIRE(tables.ok());
  for (std::uint32_t i = 0; i < ranges.size(); ++i) {
    const auto& [first, last] = ranges[i];
    CHECK(Classify(*tables, Family::kV4, first, 1, 0) == Allow(i));
    CHECK(Classify(*tables, Family::kV4, last, 1, 0) == Allow(i));
    if (first > 0) CHECK(Classify(*tables, Family::kV4, first - 1, 1, 0) == kDefaultDeny);
    if (last < 0xFFFFFFFF) CHECK(Classify(*tables, Family::kV4, last + 1, 1, 0) == kDefaultDeny);
  }
}

TEST_CASE("IPv6 tables are exact where prefixes end inside the lower half") {
  ruleset::RuleSet rules;
  const std::vector<std::pair<Uint128, Uint128>> ranges = {
      {0, 0},
      {Value("2001:db8::"), Value("2001:db8::ffff:ffff:ffff:ffff")},
      {Value("2001:db8:0:1::10"), Value("2001:db8:0:1::1f")},
      {Value("2001:db8:0:1::80"), Value("2001:db8:0:3::7f")},
      {Value("2001:db8:0:4:8000::"), Value("2001:db8:0:4:ffff:ffff:ffff:ffff")},
      {~Uint128{0}, ~Uint128{0}}};
  for (const auto& [first, last] : ranges) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   AddressSet::Everything(), Range6(first, last), kAllL4));
  }
  const auto tables = BuildTables(rules);
  REQUIRE(tables.ok());
  CHECK(tables->shape.v6.low_depth > 0);
  for (std::uint32_t i = 0; i < ranges.size(); ++i) {
    const auto& [first, last] = ranges[i];
    INFO(i);
    CHECK(Classify(*tables, Family::kV6, 5, first, 0) == Allow(i));
    CHECK(Classify(*tables, Family::kV6, 5, last, 0) == Allow(i));
    if (first > 0) CHECK(Classify(*tables, Family::kV6, 5, first - 1, 0) == kDefaultDeny);
    if (last < ~Uint128{0}) CHECK(Classify(*tables, Family::kV6, 5, last + 1, 0) == kDefaultDeny);
  }
}

TEST_CASE("a later fragment gets what every port would get, or is dropped as a fragment") {
  const std::uint32_t tcp = MARCH_L4_KEY(space::kTcp, 0U);
  const std::uint32_t fragment = MARCH_L4_FRAGMENT | tcp;
  const auto judge = [&](std::vector<ruleset::Rule> list, model::Action default_action) {
    const auto count = static_cast<std::uint32_t>(list.size());
    const auto tables = BuildTables({default_action, std::move(list), count});
    return Classify(*tables, Family::kV4, 1, 2, fragment);
  };
  const AddressSet any = AddressSet::Everything();
  const auto rule = [&](std::uint32_t mapping, model::Action action, std::uint32_t first,
                        std::uint32_t last) {
    return MakeRule(mapping, action, any, any, {{tcp + first, tcp + last}});
  };
  using model::Action;
  const std::uint32_t dropped = MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FRAGMENT);
  CHECK(judge({rule(0, Action::kAllow, 80, 80)}, Action::kDeny) == dropped);
  CHECK(judge({rule(0, Action::kDeny, 80, 80)}, Action::kAllow) == dropped);
  CHECK(judge({rule(0, Action::kAllow, 0, 65535)}, Action::kDeny) == Allow(0));
  CHECK(judge({rule(0, Action::kDeny, 0, 65535)}, Action::kAllow) == Deny(0));
  CHECK(judge({rule(0, Action::kAllow, 80, 80)}, Action::kAllow) == Allow(0));
  // All ports allowed, but by two rules, neither of which is sure to match.
  CHECK(judge({rule(0, Action::kAllow, 100, 65535), rule(1, Action::kAllow, 0, 99)},
              Action::kDeny) == dropped);
  CHECK(judge({rule(0, Action::kAllow, 80, 80), rule(1, Action::kAllow, 0, 65535)},
              Action::kDeny) == Allow(0));
  CHECK(judge({rule(0, Action::kAllow, 80, 80), rule(1, Action::kDeny, 90, 90),
               rule(2, Action::kAllow, 0, 65535)},
              Action::kDeny) == dropped);
  CHECK(judge({rule(0, Action::kAllow, 0, 65535), rule(1, Action::kDeny, 90, 90)}, Action::kDeny) ==
        Allow(0));
  // All ports denied, by two: still no port that could have passed, but which rule is unknown.
  CHECK(judge({rule(0, Action::kDeny, 100, 65535), rule(1, Action::kDeny, 0, 99)},
              Action::kAllow) == dropped);
  CHECK(judge({MakeRule(0, Action::kAllow, any, any, kAllL4)}, Action::kDeny) == Allow(0));
}

TEST_CASE("tables above the limit are refused with the mappings that need most") {
  // Networks in networks on both sides, and no matrix to meet in.
  ruleset::RuleSet rules;
  for (std::uint32_t i = 0; i < 200; ++i) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   Range4(1000 + i, 3000 - i), Range4(1000 + i, 3000 - i), kAllL4));
  }
  CHECK(BuildTables(rules).ok());
  const auto refused = BuildTables(
      rules, {.max_table_bytes = 256 * 1024, .small_matrix_bytes = 0, .large_matrix_bytes = 0});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.diagnostics()[0].code == Code::kTablesTooLarge);
  CHECK(refused.diagnostics()[0].message ==
        "the policy needs classifier tables above the limit of 262144 bytes; most of them for "
        "\"m0\" (200 pairs of address ranges), \"m1\" (199 pairs of address ranges), \"m2\" (198 "
        "pairs of address ranges)");
}

TEST_CASE("rules that overlap too much are refused, with those that overlap most") {
  // Each list is one longer than the next: together, half the square of the rules.
  ruleset::RuleSet rules;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const std::uint32_t port = i % 60000;
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   Range4(100000 + i, 900000 - i), AddressSet::Everything(),
                                   {{port, port}}));
  }
  const auto refused = BuildTables(rules);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.diagnostics()[0].code == Code::kTablesTooLarge);
  CHECK(refused.diagnostics()[0].message.starts_with(
      "the policy needs classifier tables above the limit of 469762048 bytes; most of them for "
      "\"m0\" ("));
  CHECK(refused.diagnostics()[0].message.ends_with(" overlaps with others)"));
}

TEST_CASE("rules with an open end and rules without meet in every view") {
  // A hundred sources to their own destination, a hundred to anywhere, anywhere to a hundred, and
  // some that pin down neither: whatever is asked, the first that matches decides.
  ruleset::RuleSet rules;
  const auto add = [&](AddressSet from, AddressSet to, std::uint32_t port) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow, std::move(from),
                                   std::move(to), {{port, port + 9}}));
  };
  const AddressSet any = AddressSet::Everything();
  const auto net = [](std::uint32_t i) { return Range4(i * 5000, i * 5000 + 99); };
  for (std::uint32_t i = 0; i < 100; ++i) {
    add(net(i), net(i + 100), i % 7);
    add(net(i), any, i % 11);
    add(any, net(i + 100), i % 13);
    if (i % 10 == 0) add(Range4(i * 4000, i * 4000 + 400000), Range4(i * 6000, 1000000), i % 17);
  }
  for (const std::uint64_t matrix : {0U, 4096U, 1U << 20}) {
    const auto tables = BuildTables(rules, {.small_matrix_bytes = 0, .large_matrix_bytes = matrix});
    REQUIRE(tables.ok());
    for (std::uint32_t from = 0; from < 120; ++from) {
      for (std::uint32_t to = 90; to < 220; to += 3) {
        for (std::uint32_t port = 0; port < 30; port += 4) {
          const Uint128 source = from * 5000 + from % 120;
          const Uint128 destination = to * 5000 + 50;
          std::uint32_t expected = kDefaultDeny;
          for (const ruleset::Rule& rule : rules.rules) {
            if (!rule.source->v4.Contains(source) || !rule.destination->v4.Contains(destination) ||
                !rule.l4.Contains(port)) {
              continue;
            }
            expected = Allow(rule.mapping);
            break;
          }
          const std::uint32_t verdict = Classify(*tables, Family::kV4, source, destination, port);
          if (verdict != expected) FAIL(from << " to " << to << " port " << port);
        }
      }
    }
    CHECK((tables->shape.v4.views & MARCH_VIEW_PAIRS) != 0);
    CHECK((tables->shape.v4.views & MARCH_VIEW_SOURCE) != 0);
    CHECK((tables->shape.v4.views & MARCH_VIEW_DESTINATION) != 0);
    CHECK(((tables->shape.v4.views & MARCH_VIEW_MATRIX) != 0) == (matrix > 0));
  }
}

TEST_CASE("a walk that leaves the tables denies") {
  // Rules enough for rows, lists and a matrix; then one line after the other is lost.
  ruleset::RuleSet rules;
  for (std::uint32_t i = 0; i < 200; ++i) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   Range4(i * 70000, i * 70000 + 9), Range4(i * 90, i * 90 + 50),
                                   kAllL4));
  }
  rules.default_action = model::Action::kAllow;
  const auto tables = BuildTables(rules);
  REQUIRE(tables.ok());
  const std::uint32_t internal = MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  int lost = 0;
  for (std::uint32_t i = 0; i < 200; ++i) {
    const std::uint32_t expected = Classify(*tables, Family::kV4, i * 70000, i * 90, 0);
    CHECK(expected == Allow(i));
    for (const std::size_t keep : {4U, 5U, 30U, 100U, 300U}) {
      Tables cut = *tables;
      cut.words.resize(std::min(keep * MARCH_LINE_WORDS, cut.words.size()));
      const std::uint32_t verdict = Classify(cut, Family::kV4, i * 70000, i * 90, 0);
      CHECK((verdict == expected || verdict == internal));
      lost += verdict == internal;
    }
  }
  CHECK(lost > 300);
  std::uint32_t audit = 1;
  CHECK(march_native_classify(nullptr, 0, nullptr, &audit) == internal);
  CHECK(audit == 0);
}

TEST_CASE("no two pairs have the same key") {
  for (std::uint32_t bits = 2; bits <= 16; ++bits) {
    for (std::uint32_t destination_bits = 1; destination_bits < bits; ++destination_bits) {
      std::vector<bool> taken(std::size_t{1} << bits, false);
      for (std::uint32_t pair = 0; pair < taken.size(); ++pair) {
        const std::uint64_t key =
            march_pair_key(pair >> destination_bits, pair & ((1U << destination_bits) - 1),
                           destination_bits, bits);
        REQUIRE(key < taken.size());
        REQUIRE_FALSE(taken[key]);
        taken[key] = true;
      }
    }
  }
}

TEST_CASE("no two keys have the same line and tag") {
  for (const std::uint32_t bits : {20U, 27U, 28U, 29U, 31U, 32U, 33U, 36U, 42U, 50U, 55U}) {
    const std::uint64_t least = LinesForTags(bits);
    for (const std::uint64_t many : {least, least + 1, least * 3 / 2 + 7}) {
      const auto lines = static_cast<std::uint32_t>(many);
      // The first key of a line, or of one behind it.
      const auto first_of = [&](std::uint64_t line) {
        std::uint64_t from = 0;
        for (std::uint64_t bit = std::uint64_t{1} << (bits - 1); bit != 0; bit /= 2) {
          if (march_pair_line(from + bit - 1, bits, lines) < line) from += bit;
        }
        return from;
      };
      const std::uint64_t last_key = (std::uint64_t{1} << bits) - 1;
      INFO(bits << " bits, " << lines << " lines");
      REQUIRE(march_pair_line(last_key, bits, lines) < lines);
      for (std::uint64_t i = 0; i < 100; ++i) {
        const std::uint64_t line = i < 50 ? i : lines - 100 + i;
        if (line >= lines) continue;
        const std::uint64_t first = first_of(line);
        const std::uint64_t behind = line + 1 == lines ? last_key + 1 : first_of(line + 1);
        CHECK(behind - first <= MARCH_PAIR_TAGS);
      }
    }
  }
}

TEST_CASE("the leaf of a pair is elsewhere where its numbers are too wide") {
  constexpr std::uint64_t kSet = 300;
  const std::uint64_t rule = std::uint64_t{MARCH_LEAF_RULE} << 62 | kSet << 32 |
                             std::uint64_t{MARCH_VERDICT(MARCH_ACTION_ALLOW, 77)};
  for (const bool fits : {true, false}) {
    Side source;
    source.records = {{0, 0, 1}};
    source.rows = {{}, {{5, 5, rule | MARCH_LEAF_FINAL}}};
    Lines lines({});
    // 24 bits for a slot leave 8 for the number of a set.
    const Pairs pairs = TakePairs(source, 16, fits ? 1U << 20 : 1U << 24, lines);
    REQUIRE(pairs.count == 1);
    CHECK(source.records[0].row == 0);
    const std::uint64_t key =
        march_pair_key(pairs.salt_of[0], 5, pairs.destination_bits, pairs.bits);
    const std::uint32_t line = pairs.first_line + static_cast<std::uint32_t>(march_pair_line(
                                                      key, pairs.bits, pairs.lines));
    const std::uint64_t word = lines.WordOf(line, 0);
    CHECK(word >> MARCH_PAIR_TAG_SHIFT == march_pair_tag(key));
    CHECK((word & MARCH_PAIR_FINAL) != 0);
    if (fits) {
      CHECK(pairs.slot_bits == 20);
      CHECK(MARCH_PAIR_KIND(word) == MARCH_LEAF_RULE);
      CHECK(word % (std::uint64_t{1} << MARCH_PAIR_RULE_BITS) == (kSet << 21 | 1U << 20 | 77));
    } else {
      CHECK(pairs.slot_bits == 24);
      CHECK(MARCH_PAIR_KIND(word) == MARCH_LEAF_NONE);
      const auto at = static_cast<std::uint32_t>(word % MARCH_PAIR_WORDS);
      CHECK(lines.WordOf(at / MARCH_LINE_WORDS, at % MARCH_LINE_WORDS) == rule);
    }
  }
}

}  // namespace
}  // namespace march::classify
