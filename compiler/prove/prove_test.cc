// The proof must pass on what the compiler makes, and fail when a bit of it is wrong.
#include "compiler/prove/prove.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <map>

#include "base/print.h"
#include "compiler/prove/engine.h"
#include "tests/proof/native_kernel.h"
#include "tests/random/compiled.h"
#include "tests/random/random_policy.h"

namespace march::prove {
namespace {

// Both families, nested prefixes, hosts, ports, source ports, types, audit, denies.
const char* const kPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  site: { addresses: [10.0.0.0/8, "2001:db8::/32"], except: [10.9.0.0/16] }
  lan: { addresses: [10.1.2.64/26, 10.200.0.0/15, "2001:db8:1::/48"] }
  host: { addresses: [10.1.2.70, 192.0.2.1, "2001:db8:1::70", "2001:db8:1::72"] }
  web: { addresses: [198.51.100.0/25, "2001:db8:80::/64"] }
mappings:
  block: { from: [host], to: [web], protocols: [udp], action: deny, priority: 5 }
  lan-web: { from: [lan], to: [web], protocols: [tcp], ports: [80, 443, 8000-8100] }
  watch: { from: [lan], to: [web], protocols: [tcp], ports: [443], action: deny, audit: true, priority: 9 }
  host-any: { from: [host], protocols: [tcp, udp], ports: [53], source_ports: [1024-65535] }
  any-web: { to: [web], protocols: [icmp, icmpv6], icmp_types: [echo-request] }
  site-site: { from: [site], to: [site], priority: -1 }
)";

struct Built {
  explicit Built(const std::string& text, const classify::Limits& limits = {}) : compiled(text) {
    auto made = classify::BuildTables(compiled.rules, limits);
    REQUIRE(made.ok());
    tables = *std::move(made);
  }

  Outcome<bundle::Proof> ProveTables() const { return Prove(compiled.policy, tables, {}); }
  Outcome<bundle::Proof> ProveWith(const std::vector<std::uint64_t>& words) const {
    std::vector<std::unique_ptr<Kernel>> kernels;
    kernels.push_back(std::make_unique<tests::NativeKernel>(words));
    return Prove(compiled.policy, tables, kernels);
  }

  tests::Compiled compiled;
  classify::Tables tables;
};

// Everything in rows and pairs, for policies that would be one matrix.
constexpr classify::Limits kRows = {.small_matrix_bytes = 0, .large_matrix_bytes = 256};

std::string ErrorOf(const Outcome<bundle::Proof>& proof) {
  return proof ? "" : proof.diagnostics().front().message;
}

TEST_CASE("what the compiler makes is proved, in both layouts") {
  for (const classify::Limits& limits : {classify::Limits(), kRows}) {
    const Built built(kPolicy, limits);
    const auto tables = built.ProveTables();
    INFO(TextOf(tables.diagnostics()));
    REQUIRE(tables);
    CHECK_FALSE(tables->in_kernel);
    CHECK(tables->cells() > 300);
    CHECK(tables->witnesses() == 0);
    CHECK(tables->v4.source_classes > 4);
    CHECK(tables->v6.destination_classes > 2);

    const auto with = built.ProveWith(built.tables.words);
    INFO(TextOf(with.diagnostics()));
    REQUIRE(with);
    CHECK(with->in_kernel);
    CHECK(with->cells() == tables->cells());
    // Every edge of every range takes part.
    CHECK(with->witnesses() >= with->v4.source_ranges);
    CHECK(with->digest != tables->digest);
    CHECK(*built.ProveWith(built.tables.words) == *with);
  }
}

TEST_CASE("the digest follows the policy") {
  const std::string text = kPolicy;
  std::string other = text;
  other.replace(other.find("8000-8100"), 9, "8000-8101");
  CHECK(Built(text).ProveTables()->digest == Built(text).ProveTables()->digest);
  CHECK(Built(text).ProveTables()->digest != Built(other).ProveTables()->digest);
}

TEST_CASE("random policies are proved") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    tests::Random random(seed);
    const Built built(tests::RandomPolicy(random, 1 + random.Below(25)),
                      seed % 2 == 0 ? kRows : classify::Limits());
    const auto proof = built.ProveWith(built.tables.words);
    INFO("seed " << seed << "\n" << TextOf(proof.diagnostics()));
    REQUIRE(proof);
  }
}

// All flows among the edges of the policy's addresses.
std::vector<space::Flow> EdgeFlows(const model::Policy& policy) {
  tests::Random random(7);
  return tests::RandomFlows(random, policy, 4000, true);
}

TEST_CASE("a wrong bit is found wherever it matters") {
  std::map<std::string, int> kinds;
  int passed = 0;
  for (const classify::Limits& limits : {classify::Limits(), kRows}) {
    Built built(kPolicy, limits);
    ModelEngine model(built.compiled.policy);
    const std::vector<space::Flow> flows = EdgeFlows(built.compiled.policy);
    std::vector<Decision> expected;
    for (const space::Flow& flow : flows) expected.push_back(*model.Decide(flow));
    tests::Random random(20260701);
    const std::size_t header = 4 * std::size_t{MARCH_LINE_WORDS};
    for (int i = 0; i < 1500; ++i) {
      const std::size_t word =
          header + random.Below(static_cast<std::uint32_t>(built.tables.words.size() - header));
      const std::uint64_t bit = std::uint64_t{1} << random.Below(64);
      built.tables.words[word] ^= bit;
      const auto proof = built.ProveTables();
      if (!proof) {
        CHECK(proof.diagnostics().front().code == Code::kProofFailed);
        const std::string error = ErrorOf(proof);
        for (const char* kind : {"for one source", "for one destination", "the proof failed on",
                                 "point to", "have "}) {
          if (error.find(kind) != std::string::npos) ++kinds[kind];
        }
      } else {
        // Then nothing has changed.
        ++passed;
        TablesEngine tables(built.tables);
        for (std::size_t f = 0; f < flows.size(); ++f) {
          if (*tables.Decide(flows[f]) == expected[f]) continue;
          FAIL("word " << word << ", bit " << std::countr_zero(bit) << ": unnoticed on "
                       << flows[f].ToString() << ", by the model "
                       << DeciderName(built.compiled.policy, expected[f]) << ", now "
                       << DeciderName(built.compiled.policy, *tables.Decide(flows[f])));
        }
      }
      built.tables.words[word] ^= bit;
    }
  }
  for (const char* kind :
       {"for one source", "for one destination", "the proof failed on", "point to", "have "}) {
    INFO(kind);
    CHECK(kinds[kind] > 10);
  }
  CHECK(passed > 10);  // bits of unused words
}

// The first word from which on `wanted` holds.
template <class Wanted>
std::size_t FindWord(const classify::Tables& tables, Wanted&& wanted) {
  for (std::size_t i = 4 * std::size_t{MARCH_LINE_WORDS}; i < tables.words.size(); ++i) {
    if (wanted(tables.words[i])) return i;
  }
  FAIL("no such word");
  return 0;
}

TEST_CASE("a wrong slot, action and set of a leaf are found, with a packet that shows it") {
  const auto broken = [](std::uint64_t change) {
    Built built(R"(apiVersion: march/v1
kind: Policy
services: { a: { addresses: [10.0.0.0/8] }, b: { addresses: [192.0.2.7] } }
mappings:
  first: { from: [a], to: [b], protocols: [tcp], ports: [80] }
  second: { from: [a], to: [b], protocols: [udp], ports: [53] }
)");
    const std::size_t at = FindWord(built.tables, [](std::uint64_t word) {
      return MARCH_LEAF_KIND(word) == MARCH_LEAF_RULE &&
             MARCH_VERDICT_SLOT(static_cast<std::uint32_t>(word)) == MARCH_SLOT_FIRST_MAPPING;
    });
    built.tables.words[at] ^= change;
    return ErrorOf(built.ProveTables());
  };
  CHECK(broken(MARCH_ACTION_ALLOW) ==
        "the proof failed on tcp 10.0.0.0:0 > 192.0.2.7:80; the policy: allow by \"first\"; the "
        "tables: deny by \"first\"");
  CHECK(broken(1U << 8) ==
        "the proof failed on tcp 10.0.0.0:0 > 192.0.2.7:80; the policy: allow by \"first\"; the "
        "tables: allow by the default");
  CHECK(broken(std::uint64_t{1} << 32).find("the proof failed on") == 0);
  CHECK(broken(std::uint64_t{MARCH_VERDICT_AUDITED}) ==
        "the tables have a verdict that does not fit their shape");
}

TEST_CASE("a wrong default, shape and order of counters are found") {
  Built built(kPolicy);
  march_shape shape = built.tables.shape;
  shape.default_action = MARCH_ACTION_ALLOW;
  const std::size_t at = 3 * std::size_t{MARCH_LINE_WORDS};
  std::memcpy(&built.tables.words[at], &shape, sizeof(shape));
  CHECK(ErrorOf(built.ProveTables()) == "the tables have another shape than the program");
  built.tables.shape = shape;
  CHECK(ErrorOf(built.ProveTables()).find("the policy: deny by the default; the tables: allow") !=
        std::string::npos);

  Built swapped(kPolicy);
  std::swap(swapped.tables.mappings[0], swapped.tables.mappings[1]);
  CHECK(ErrorOf(swapped.ProveTables()) ==
        "the counters are not in the order in which the mappings decide");
}

TEST_CASE("a program that does something else is found, with a packet that shows it") {
  const Built built(kPolicy);
  std::vector<std::uint64_t> words = built.tables.words;
  march_shape shape = built.tables.shape;
  shape.default_action = MARCH_ACTION_ALLOW;
  std::memcpy(&words[3 * std::size_t{MARCH_LINE_WORDS}], &shape, sizeof(shape));
  const auto proof = built.ProveWith(words);
  REQUIRE_FALSE(proof);
  CHECK(proof.diagnostics().size() == 5);
  CHECK(proof.diagnostics().front().code == Code::kProofFailed);
  CHECK(ErrorOf(proof).find("the policy: deny by the default; the program in the kernel: allow, "
                            "counted by the default") != std::string::npos);
}

TEST_CASE("a program that finds the mapping of another destination is found") {
  const auto policy_to = [](const std::string& services) {
    return R"(apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [192.0.2.0/24] }
  web: { addresses: [10.0.0.0/24] }
  beside: { addresses: [10.0.1.0/24] }
mappings:
  known: { to: [beside], protocols: [47] }
  web: { from: [clients], to: [)" +
           services + "], protocols: [tcp], ports: [4711] }\n";
  };
  const Built right(policy_to("web"));
  const Built wrong(policy_to("web, beside"));
  CHECK(right.ProveWith(right.tables.words));
  // No edge of a cell is a packet that shows it.
  CHECK(ErrorOf(right.ProveWith(wrong.tables.words))
            .find(":4711; the policy: deny by the default; the program in the kernel: allow, "
                  "counted by \"web\"") != std::string::npos);
}

TEST_CASE("what would take too long or too much memory is refused") {
  const Built built(kPolicy);
  const std::uint64_t cells = built.ProveTables()->cells();
  const auto limited = [&](const ProofLimits& limits) {
    return Prove(built.compiled.policy, built.tables, {}, limits);
  };
  CHECK(limited({.max_cells = cells}));
  for (const ProofLimits& limits :
       {ProofLimits{.max_cells = cells - 1}, ProofLimits{.max_cells = 10},
        ProofLimits{.max_class_bytes = 16}}) {
    const auto proof = limited(limits);
    REQUIRE_FALSE(proof);
    CHECK(proof.diagnostics().front().code == Code::kProofTooLarge);
  }
}

}  // namespace
}  // namespace march::prove
