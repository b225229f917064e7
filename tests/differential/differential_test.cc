// The three engines must never differ: random policies, random flows, v4 and v6, fragments
// included.
#include <sys/types.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <iostream>
#include <map>

#include "base/print.h"
#include "cli/kernel_engine.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/course.h"
#include "tests/random/random_policy.h"

namespace march {
namespace {

constexpr std::uint64_t kFirstSeed = 20260101;
constexpr std::uint32_t kFlows = 2000;

struct Case {
  MemoryFileSystem files;
  pipeline::Compilation compilation;
  std::vector<space::Flow> flows;
};

// Small policies need no more than a matrix; with less of it, they have to take the other ways.
classify::Limits LimitsFor(std::uint64_t seed) {
  switch (seed % 5) {
    case 0:
      return {};
    case 1:
      return {.small_matrix_bytes = 0, .large_matrix_bytes = 0, .most_pairs = 1};
    case 2:
      return {.small_matrix_bytes = 0, .large_matrix_bytes = 256};
    case 3:
      return {.small_matrix_bytes = 0, .most_pairs = 1};
    default:
      return {.small_matrix_bytes = 0};
  }
}

Case Make(std::uint64_t seed, pipeline::Stage until) {
  Case made;
  tests::Random random(seed);
  // Mostly small policies, where every mapping meets every other; some with root arrays.
  const std::uint32_t mappings = seed % 10 == 9 ? 600 : 1 + random.Below(40);
  REQUIRE(made.files.WriteAtomically("p.yaml", tests::RandomPolicy(random, mappings), 0600).ok());
  pipeline::Options options;
  options.classify = LimitsFor(seed);
  made.compilation = pipeline::Compile(made.files, "p.yaml", until, options);
  INFO("seed " << seed << "\n" << TextOf(made.compilation.diagnostics));
  REQUIRE(made.compilation.ok());
  made.flows = tests::RandomFlows(random, *made.compilation.policy, kFlows, true);
  return made;
}

TEST_CASE("model and tables agree on every flow") {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + tests::Course(100U, 20U); ++seed) {
    const Case made = Make(seed, pipeline::Stage::kTables);
    const model::Policy& policy = *made.compilation.policy;
    prove::ModelEngine model(policy);
    prove::TablesEngine tables(*made.compilation.tables);
    for (const space::Flow& flow : made.flows) {
      const auto expected = model.Decide(flow);
      const auto decision = tables.Decide(flow);
      if (!(*expected == *decision)) {
        FAIL("seed " << seed << ", " << flow.ToString() << ": model "
                     << prove::DeciderName(policy, *expected) << ", tables "
                     << prove::DeciderName(policy, *decision));
      }
      ++seen[std::string(model::ActionName(decision->action)) +
             (decision->mapping ? " mapping" : prove::DeciderName(policy, *decision))];
      if (decision->audited_mapping) ++seen["audit"];
    }
  }
  // The comparison is worth something only if every kind of verdict was met often.
  for (const char* kind :
       {"allow mapping", "deny mapping", "allow-", "deny-", "deny(fragment)", "audit"}) {
    INFO(kind);
    CHECK(seen[kind] > tests::Course(1000, 200));
  }
}

TEST_CASE("tables and kernel agree on every flow") {
  if (geteuid() != 0) {
    std::cerr << "SKIPPED: the kernel engine needs root\n";
    std::exit(77);
  }
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + tests::Course(30U, 6U); ++seed) {
    const Case made = Make(seed, pipeline::Stage::kObject);
    const model::Policy& policy = *made.compilation.policy;
    prove::TablesEngine tables(*made.compilation.tables);
    auto kernel = cli::KernelEngine::Load(made.compilation);
    INFO("seed " << seed << "\n" << (kernel ? "" : TextOf(kernel.diagnostics())));
    REQUIRE(kernel.ok());
    for (const space::Flow& flow : made.flows) {
      const auto expected = tables.Decide(flow);
      const auto decision = kernel->Decide(flow);
      if (!decision) FAIL(TextOf(decision.diagnostics()));
      if (!(*expected == *decision)) {
        FAIL("seed " << seed << ", " << flow.ToString() << ": tables "
                     << prove::DeciderName(policy, *expected) << ", kernel "
                     << prove::DeciderName(policy, *decision));
      }
    }
  }
}

}  // namespace
}  // namespace march
