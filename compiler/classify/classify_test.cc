#include <catch2/catch.hpp>

#include "bundle/abi/verdict.h"
#include "compiler/classify/classes.h"
#include "compiler/classify/l4.h"
#include "compiler/classify/native_walk.h"
#include "compiler/classify/runs.h"
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
          {},
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
                         static_cast<std::uint32_t>(family)};
  std::uint32_t audit = 0;
  return march_native_classify(tables.words.data(), static_cast<std::uint32_t>(tables.words.size()),
                               &key, &audit);
}

const std::uint32_t kDefaultDeny = MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_DEFAULT);
std::uint32_t Allow(std::uint32_t mapping) {
  return MARCH_VERDICT(MARCH_ACTION_ALLOW, MARCH_SLOT_FIRST_MAPPING + mapping);
}
std::uint32_t Deny(std::uint32_t mapping) {
  return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FIRST_MAPPING + mapping);
}

TEST_CASE("a field is cut where its rules change, and equal rule sets are one class") {
  const IntervalSet<Uint128> outer({{10, 99}});
  const IntervalSet<Uint128> inner({{20, 29}, {40, 49}});
  const IntervalSet<Uint128> everything({{0, 255}});
  const Classes classes = CutIntoClasses({&outer, &inner, &everything}, 255);
  REQUIRE(classes.members.size() == 3);
  CHECK(classes.members[0] == RuleIds{2});
  CHECK(classes.members[1] == RuleIds{0, 2});
  CHECK(classes.members[2] == RuleIds{0, 1, 2});
  std::vector<std::pair<int, std::uint32_t>> segments;
  for (const Segment& s : classes.segments)
    segments.emplace_back(static_cast<int>(s.start), s.class_id);
  CHECK(segments == std::vector<std::pair<int, std::uint32_t>>{
                        {0, 0}, {10, 1}, {20, 2}, {30, 1}, {40, 2}, {50, 1}, {100, 0}});
}

TEST_CASE("a field without rules is one class") {
  const Classes classes = CutIntoClasses({}, 255);
  CHECK(classes.members == std::vector<RuleIds>{{}});
  CHECK(classes.segments.size() == 1);
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
  CHECK(tables->shape.src4.root_bits == 16);
  CHECK(tables->shape.dst4.root_bits == 0);
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
  CHECK(tables->shape.dst6.low_depth > 0);
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
  // All ports allowed, by two rules: the first in precedence counts it.
  CHECK(judge({rule(0, Action::kAllow, 100, 65535), rule(1, Action::kAllow, 0, 99)},
              Action::kDeny) == Allow(0));
  // All ports denied, by two: still no port that could have passed, but which rule is unknown.
  CHECK(judge({rule(0, Action::kDeny, 100, 65535), rule(1, Action::kDeny, 0, 99)},
              Action::kAllow) == dropped);
  CHECK(judge({MakeRule(0, Action::kAllow, any, any, kAllL4)}, Action::kDeny) == Allow(0));
}

TEST_CASE("equal rows and layer-4 tables exist once") {
  ruleset::RuleSet rules;
  for (std::uint32_t i = 0; i < 100; ++i) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   Range4(i * 1000, i * 1000 + 10), Range4(7, 7), kAllL4));
  }
  const auto tables = BuildTables(rules);
  REQUIRE(tables.ok());
  CHECK(tables->report.source_classes4 == 101);
  CHECK(tables->report.destination_classes4 == 2);
  CHECK(tables->report.source_classes6 == 1);
  // Every rule has its own verdict, so its own row; the default's is shared.
  CHECK(tables->report.l4_tables == 101);
}

TEST_CASE("tables above the limit are refused with the reason") {
  ruleset::RuleSet rules;
  for (std::uint32_t i = 0; i < 200; ++i) {
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   Range4(i * 10, i * 10 + 1), AddressSet::Everything(), kAllL4));
    rules.rules.push_back(MakeRule(rules.mappings++, model::Action::kAllow,
                                   AddressSet::Everything(), Range4(i * 10, i * 10 + 1), {{1, 1}}));
  }
  CHECK(BuildTables(rules).ok());
  const auto refused = BuildTables(rules, {.max_table_bytes = 64 * 1024});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.diagnostics()[0].code == Code::kTablesTooLarge);
  CHECK(refused.diagnostics()[0].message.find("above the limit of 65536") != std::string::npos);
}

TEST_CASE("tables are read back as written, and nothing else is") {
  const auto tables = BuildTables({model::Action::kDeny, {}, 0});
  REQUIRE(tables.ok());
  const std::string bytes = tables->Bytes();
  const auto read = ReadTables(bytes);
  REQUIRE(read.ok());
  CHECK(read->words == tables->words);
  CHECK_FALSE(ReadTables("").ok());
  CHECK_FALSE(ReadTables(bytes.substr(0, bytes.size() - 8)).ok());
  CHECK_FALSE(ReadTables(bytes.substr(0, bytes.size() - 1)).ok());
  for (const std::size_t at : {0U, 8U, 12U}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_FALSE(ReadTables(damaged).ok());
  }
}

TEST_CASE("a walk that leaves the tables denies") {
  auto tables = BuildTables({model::Action::kAllow, {}, 0});
  REQUIRE(tables.ok());
  // Every run described as lying outside: all loads behind it yield 0, which is deny.
  const std::uint64_t outside = std::uint64_t{1} << 32 | 0xFFFFFFF0;
  tables->words[tables->shape.l4_words] = outside;
  CHECK(Classify(*tables, Family::kV4, 1, 1, 0) ==
        MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL));
  std::uint32_t audit = 1;
  CHECK(march_native_classify(nullptr, 0, nullptr, &audit) ==
        MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL));
  CHECK(audit == 0);
}

}  // namespace
}  // namespace march::classify
