// What the worst policies cost: those in which everything meets everything. Tables grow in
// proportion to the rules, or the policy is refused; and no packet reads more lines than the bound
// says, which grows with the logarithm of the rules at most.
#include <bit>
#include <catch2/catch.hpp>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "base/print.h"
#include "compiler/budget/lines.h"
#include "compiler/classify/tables.h"
#include "tests/course.h"

namespace march {
namespace {

using space::AddressSet;
using space::Family;
using space::Interval;
using space::IntervalSet;
using space::Uint128;

constexpr std::uint32_t kTcp = MARCH_L4_KEY(6U, 0U);
const std::vector<Interval<std::uint32_t>> kEveryKey = {{0, MARCH_L4_FRAGMENT - 1}};

using Addresses = std::shared_ptr<const AddressSet>;

Addresses Any() {
  static const auto any = std::make_shared<const AddressSet>(AddressSet::Everything());
  return any;
}

Addresses Range(Family family, Uint128 first, Uint128 last) {
  const IntervalSet<Uint128> set({{first, last}});
  return std::make_shared<const AddressSet>(family == Family::kV4 ? AddressSet{set, {}}
                                                                  : AddressSet{{}, set});
}

// Rules in order of precedence: each behind the one before.
struct Rules {
  ruleset::RuleSet set;

  void Add(Addresses source, Addresses destination, std::vector<Interval<std::uint32_t>> l4,
           Interval<std::uint16_t> source_ports = {0, 0xFFFF}) {
    const std::uint32_t number = set.mappings++;
    set.rules.push_back({number,
                         "m" + std::to_string(number),
                         {},
                         number % 2 == 0 ? model::Action::kAllow : model::Action::kDeny,
                         -static_cast<std::int32_t>(number),
                         std::move(source),
                         std::move(destination),
                         ruleset::L4Set(std::move(l4)),
                         IntervalSet<std::uint16_t>({source_ports}),
                         {}});
  }
};

struct Bounds {
  std::uint64_t bytes_a_rule = 0;
  std::uint32_t lines = 0;        // whatever the size
  std::uint32_t lines_a_bit = 0;  // for each bit of the number of rules
};

// `make` at two sizes: within the bounds at both.
template <class Make>
void CheckCase(const char* name, Family family, const Bounds& bounds, Make&& make) {
  for (const std::uint32_t count :
       tests::Course<std::vector<std::uint32_t>>({1000, 20000}, {1000})) {
    Rules rules;
    make(rules, count);
    const auto tables = classify::BuildTables(rules.set);
    INFO(name << " of " << count);
    REQUIRE(tables.ok());
    const budget::LineCount lines = budget::CountLines(family, rules.set, *tables);
    const std::uint64_t bytes = tables->words.size() * sizeof(std::uint64_t);
    char text[160];
    std::snprintf(text, sizeof(text),
                  "%-34s %6u rules: %5.1f bytes a rule, at most %2u lines; seen %.1f, at most %u",
                  name, count, static_cast<double>(bytes) / count, lines.bound,
                  std::max(lines.mappings.mean, lines.pairs.mean),
                  std::max(lines.mappings.most, lines.pairs.most));
    std::cout << text << "\n";
    // What is there for any policy: roots and cells above all.
    CHECK(bytes <= bounds.bytes_a_rule * count + (512U << 10));
    CHECK(lines.bound <= bounds.lines + bounds.lines_a_bit * std::bit_width(count));
    CHECK(lines.mappings.most <= lines.bound);
    CHECK(lines.pairs.most <= lines.bound);
  }
}

TEST_CASE("single addresses, as many as there are rules") {
  CheckCase("single addresses (IPv4)", Family::kV4, {140, 20, 0},
            [](Rules& rules, std::uint32_t n) {
              for (std::uint32_t i = 0; i < n; ++i) {
                const Uint128 at = i * 2654435761U;  // anywhere
                rules.Add(Any(), Range(Family::kV4, at, at), {{kTcp + 443, kTcp + 443}});
              }
            });
  CheckCase("single addresses (IPv6)", Family::kV6, {120, 14, 1},
            [](Rules& rules, std::uint32_t n) {
              for (std::uint32_t i = 0; i < n; ++i) {
                const Uint128 at = ((Uint128{0x20010DB800000000} + i % 64) << 64) + i * 2654435761U;
                rules.Add(Any(), Range(Family::kV6, at, at), {{kTcp + 443, kTcp + 443}});
              }
            });
}

TEST_CASE("networks in networks, each with a priority of its own") {
  CheckCase("nested networks", Family::kV4, {80, 20, 0}, [](Rules& rules, std::uint32_t n) {
    // The innermost first, or the outermost would decide everything.
    for (std::uint32_t i = n; i > 0; --i) {
      rules.Add(Any(), Range(Family::kV4, 1000000 + i * 100, 900000000 - i * 100), kEveryKey);
    }
  });
  CheckCase("nested, by source", Family::kV4, {130, 20, 0}, [](Rules& rules, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint32_t depth = i % 24;
      const std::uint32_t at = i / 24 << 8;
      rules.Add(Range(Family::kV4, at + depth, at + 255 - depth), Any(), kEveryKey);
    }
  });
}

TEST_CASE("ranges of ports that begin and end anywhere") {
  CheckCase("ranges of ports, any address", Family::kV4, {60, 16, 1},
            [](Rules& rules, std::uint32_t n) {
              for (std::uint32_t i = n; i > 0; --i) {
                rules.Add(Any(), Any(), {{kTcp + i, kTcp + 65535 - i}});
              }
            });
  CheckCase("ranges of ports, hosts", Family::kV4, {100, 40, 1}, [](Rules& rules, std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i) {
      const Uint128 at = i / 20 * 1000;
      const std::uint32_t port = i * 7919 % 60000;
      rules.Add(Any(), Range(Family::kV4, at, at), {{kTcp + port, kTcp + port + i % 500}});
    }
  });
}

TEST_CASE("open ends on either side") {
  CheckCase("any source, any destination, both", Family::kV4, {120, 50, 0},
            [](Rules& rules, std::uint32_t n) {
              for (std::uint32_t i = 0; i < n; ++i) {
                const auto host = [&](std::uint32_t salt) {
                  const Uint128 at = i / 3 * 5000 + salt;
                  return Range(Family::kV4, at, at + 99);
                };
                const std::uint32_t port = kTcp + i % 100;
                rules.Add(i % 3 == 0 ? Any() : host(0), i % 3 == 1 ? Any() : host(1000),
                          {{port, port}});
              }
            });
}

TEST_CASE("services of many networks") {
  // Eight rules; what is counted is their networks.
  CheckCase("services of as many networks", Family::kV4, {60, 20, 0},
            [](Rules& rules, std::uint32_t n) {
              std::vector<Interval<Uint128>> parts;
              for (std::uint32_t i = 0; i < n; ++i) parts.push_back({i * 3000, i * 3000 + 99});
              const auto all = std::make_shared<const AddressSet>(
                  AddressSet{IntervalSet<Uint128>(std::move(parts)), {}});
              for (std::uint32_t i = 0; i < 8; ++i) {
                rules.Add(all, all, {{kTcp + i * 3, kTcp + i * 3}});
              }
            });
}

TEST_CASE("ports times source ports are refused, not built") {
  Rules rules;
  // The innermost first, or the first would decide everything.
  for (std::uint32_t i = 10000; i > 0; --i) {
    const auto first = static_cast<std::uint16_t>(i);
    rules.Add(Any(), Any(), {{kTcp + i, kTcp + 65535 - i}},
              {first, static_cast<std::uint16_t>(65535 - i)});
  }
  classify::Limits limits;
  limits.max_table_bytes = tests::Course(limits.max_table_bytes, limits.max_table_bytes / 32);
  const auto refused = classify::BuildTables(rules.set, limits);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.diagnostics()[0].code == Code::kTablesTooLarge);
  INFO(refused.diagnostics()[0].message);
  CHECK(refused.diagnostics()[0].message.find("most of them for \"m") != std::string::npos);
}

}  // namespace
}  // namespace march
