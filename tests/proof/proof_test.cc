// The proof over rule sets of every style, and what the kernel's part of it notices.
//
// MARCH_PROOF_RULES=10000 proves rule sets of that size instead, and tells what it took;
// MARCH_PROOF_STYLE=chain those of one style.
#include <sys/types.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "bundle/abi/verdict.h"
#include "cli/kernel_prover.h"
#include "compiler/prove/witness.h"
#include "tests/course.h"
#include "tests/rulesets/compile.h"

namespace march {
namespace {

std::vector<std::uint32_t> Sizes() {
  const char* const rules = std::getenv("MARCH_PROOF_RULES");
  if (rules != nullptr) return {static_cast<std::uint32_t>(std::stoul(rules))};
  return {30, 300, tests::Course(1000U, 500U)};
}

void ProveEverything(pipeline::Proving proving) {
  cli::KernelProver kernels;
  pipeline::Options options;
  options.proving = proving;
  options.kernels = &kernels;
  options.proof.max_cells = 2'000'000'000;
  const char* const only = std::getenv("MARCH_PROOF_STYLE");
  for (const tests::Style style : tests::kStyles) {
    if (only != nullptr && NameOf(style) != only) continue;
    for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
      for (const std::uint32_t size : Sizes()) {
        const auto rules = tests::MakeRuleset({style, family, size, size});
        INFO(NameOf(style) << " of " << size);
        const auto compilation = CompileRuleset(rules, pipeline::Stage::kObject, options);
        const bundle::Proof& proof = *compilation.proof;
        CHECK(proof.cells() > size);
        CHECK(proof.witnesses() >= (proof.in_kernel ? proof.cells() : 0));
        const bundle::ProofOfFamily& part = family == space::Family::kV4 ? proof.v4 : proof.v6;
        CHECK(part.source_ranges >= part.source_classes);
        CHECK(part.source_classes * part.destination_classes * 2 <= part.cells);
        if (std::getenv("MARCH_PROOF_RULES") == nullptr) continue;
        char line[160];
        std::snprintf(line, sizeof(line),
                      "%-8s v%u %6u rules: %llu x %llu classes, %llu cells, %llu witnesses, %.1f s",
                      std::string(NameOf(style)).c_str(), static_cast<unsigned>(family), size,
                      static_cast<unsigned long long>(part.source_classes),
                      static_cast<unsigned long long>(part.destination_classes),
                      static_cast<unsigned long long>(proof.cells()),
                      static_cast<unsigned long long>(proof.witnesses()),
                      compilation.proof_seconds);
        std::cout << line << std::endl;
      }
    }
  }
}

void SkipWithoutRoot() {
  if (geteuid() == 0) return;
  std::cerr << "SKIPPED: the kernel's part of the proof needs root\n";
  std::exit(77);
}

TEST_CASE("the tables of rule sets of every style are proved") {
  if (std::getenv("MARCH_PROOF_RULES") == nullptr) {
    ProveEverything(pipeline::Proving::kTables);
  }
}

TEST_CASE("the programs of rule sets of every style are proved") {
  SkipWithoutRoot();
  ProveEverything(pipeline::Proving::kKernel);
}

TEST_CASE("a witness that fares otherwise in the kernel is found") {
  SkipWithoutRoot();
  const char* const text = R"(apiVersion: march/v1
kind: Policy
services: { a: { addresses: [10.0.0.0/8] } }
mappings:
  allowed: { from: [a], protocols: [tcp], ports: [80] }
  watched: { from: [a], protocols: [tcp], ports: [80], action: deny, audit: true, priority: 1 }
)";
  MemoryFileSystem files;
  REQUIRE(files.WriteAtomically("p.yaml", text, 0600).ok());
  const auto compilation = pipeline::Compile(files, "p.yaml", pipeline::Stage::kObject);
  REQUIRE(compilation.ok());
  const auto feeder = pipeline::CompileFeeder();
  REQUIRE(feeder);
  const std::string tables = compilation.tables->Bytes();
  auto kernel = cli::KernelProver().Load(
      {compilation.object->bytes, tables, MARCH_SLOT_FIRST_MAPPING + 2, feeder->bytes});
  INFO((kernel ? "" : TextOf(kernel.diagnostics())));
  REQUIRE(kernel);

  constexpr std::uint32_t kWatched = MARCH_SLOT_FIRST_MAPPING;
  constexpr std::uint32_t kAllowed = MARCH_SLOT_FIRST_MAPPING + 1;
  const auto flow = [](std::uint32_t key) {
    return prove::FlowOf({space::Family::kV4, 0x0A000001}, {space::Family::kV4, 0xC0000201}, key,
                         40000);
  };
  const auto http = prove::WitnessOf(flow(MARCH_L4_KEY(6U, 80U)), {kAllowed, true, kWatched});
  const auto other = prove::WitnessOf(flow(MARCH_L4_KEY(6U, 81U)), {MARCH_SLOT_DEFAULT, false, 0});
  std::vector<march_witness> batch(5000, other);
  for (std::size_t i = 0; i < batch.size(); i += 3) batch[i] = http;
  const auto good = (*kernel)->Run(batch);
  REQUIRE(good);
  CHECK(good->empty());

  const auto run_with = [&](std::size_t index, const march_witness& wrong) {
    std::vector<march_witness> changed = batch;
    changed[index] = wrong;
    auto misses = (*kernel)->Run(changed);
    REQUIRE(misses);
    REQUIRE(misses->size() == 1);
    CHECK(misses->front().index == index);
    return misses->front();
  };
  march_witness wrong = http;
  wrong.action = MARCH_ACTION_DENY;
  CHECK(run_with(4998, wrong).xdp_action == 2);
  wrong = http;
  wrong.slot = MARCH_SLOT_DEFAULT;
  CHECK(run_with(0, wrong).moved == std::vector<std::uint32_t>{kWatched, kAllowed});
  wrong = other;
  wrong.audit = kWatched;
  CHECK(run_with(2000, wrong).moved == std::vector<std::uint32_t>{MARCH_SLOT_DEFAULT});
  // Every counter that it looks at moves, and one more: seen by the sums.
  wrong = http;
  wrong.audit = 0;
  CHECK(run_with(3333, wrong).moved == std::vector<std::uint32_t>{kWatched, kAllowed});
}

}  // namespace
}  // namespace march
