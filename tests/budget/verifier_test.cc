// Whether what the compiler lets pass is what the kernel loads.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <functional>
#include <iostream>

#include "base/file_system.h"
#include "base/print.h"
#include "compiler/budget/verifier.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/budget/everything.h"
#include "tests/budget/shapes.h"

namespace march {
namespace {

using budget::EstimateVerified;
using budget::kMaxVerified;

// What was seen, for whoever reads the test's output.
struct Seen {
  int loaded = 0;
  int refused_by_check = 0;
  int refused_by_both = 0;
  std::uint32_t most_verified = 0;
  std::size_t most_instructions = 0;
  std::uint32_t most_stack = 0;
  double closest = 0;  // of what was verified to its estimate
  std::chrono::microseconds longest{};

  void Print(const char* what) const {
    std::cout << what << ": " << loaded << " loaded, " << refused_by_check
              << " refused by the check, " << refused_by_both
              << " of them by the kernel too; at most " << most_verified << " verified ("
              << static_cast<int>(closest * 100) << " % of the estimate where closest), "
              << most_instructions << " instructions, " << most_stack << " bytes of stack, "
              << longest.count() / 1000 << " ms\n";
  }
};

void CheckShape(const march_shape& shape, Seen& seen, std::uint32_t lines = 64,
                const march_config& config = {}) {
  INFO(tests::Describe(shape));
  const std::uint64_t estimate = EstimateVerified(shape).total();
  INFO("estimate " << estimate);
  const auto loaded = tests::LoadShape(shape, lines, config);
  REQUIRE(loaded.ok());
  CHECK(loaded->instructions <= budget::kMaxInstructions);
  CHECK(loaded->stack_bytes <= budget::kMaxStackBytes);
  seen.most_instructions = std::max(seen.most_instructions, loaded->instructions);
  seen.most_stack = std::max(seen.most_stack, loaded->stack_bytes);
  if (estimate > kMaxVerified) {
    ++seen.refused_by_check;
    if (!loaded->figures.ok()) ++seen.refused_by_both;
    return;
  }
  INFO((loaded->figures.ok() ? "" : TextOf(loaded->figures.diagnostics())));
  REQUIRE(loaded->figures.ok());
  ++seen.loaded;
  seen.longest = std::max(seen.longest, loaded->figures->load_time);
  const std::uint32_t verified = loaded->figures->verified_instructions;
  // Linux before 5.16 does not say; that it loaded is what counts there.
  CHECK(verified <= estimate);
  seen.most_verified = std::max(seen.most_verified, verified);
  seen.closest =
      std::max(seen.closest, static_cast<double>(verified) / static_cast<double>(estimate));
}

TEST_CASE("the deepest shapes that tables can have pass the check and load") {
  tests::SkipWithoutPrivileges();
  Seen seen;
  for (const march_shape& shape : tests::ExtremeShapes()) {
    CHECK(EstimateVerified(shape).total() <= kMaxVerified);
    CheckShape(shape, seen);
  }
  seen.Print("extreme shapes");
}

TEST_CASE("they do where a gateway asks for everything that there is") {
  tests::SkipWithoutPrivileges();
  Seen seen;
  const march_config everything = tests::EverythingAsked();
  for (march_shape shape : tests::ExtremeShapes()) {
    shape.features = MARCH_FEATURE_STATEFUL | MARCH_FEATURE_TREATMENTS | MARCH_FEATURE_LIMITS |
                     MARCH_FEATURE_REJECTS;
    CheckShape(shape, seen, 64, everything);
  }
  seen.Print("extreme shapes, everything asked for");
}

TEST_CASE("the largest tables load with the deepest shape") {
  tests::SkipWithoutPrivileges();
  Seen seen;
  // 4 MiB of values need no newer kernel; 448 MiB are the most there can be.
  CheckShape(tests::WorstShape(), seen, (std::uint32_t{3} << 20) / MARCH_LINE_BYTES);
  CheckShape(tests::WorstShape(), seen, (std::uint32_t{448} << 20) / MARCH_LINE_BYTES);
  seen.Print("large tables");
}

TEST_CASE("whatever shape passes the check loads") {
  tests::SkipWithoutPrivileges();
  tests::Random random(20260101);
  Seen seen;
  for (int i = 0; i < 60; ++i) CheckShape(tests::RandomShape(random), seen);
  // And what the kernel surely refuses, the check refuses.
  march_shape hopeless = tests::WorstShape();
  hopeless.list_max = 200;
  hopeless.set_depth = 40;
  CheckShape(hopeless, seen);
  seen.Print("random shapes");
  CHECK(seen.loaded >= 30);
  CHECK(seen.refused_by_check >= 3);
  CHECK(seen.refused_by_both >= 1);
}

// A policy that drives some bound of march_shape up, and how far it must come.
struct Deep {
  const char* name;
  std::string mappings;  // and services before them
  std::function<bool(const march_shape&)> reached;
  std::uint64_t small_matrix_bytes = classify::Limits{}.small_matrix_bytes;
};

std::string Every(int step, int last, const std::string& separator = ", ") {
  std::string text;
  for (int i = 1; i <= last; i += step) text += (i > 1 ? separator : "") + std::to_string(i);
  return text;
}

// The prefix of this length whose bits are ones but for the last: each lies in the one before it,
// and none begins where another does.
std::string NestedPrefix(unsigned length) {
  std::string address;
  for (unsigned group = 0; group < 8; ++group) {
    const unsigned ones = std::clamp(length, 16 * group, 16 * group + 16) - 16 * group;
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), "%x", (0xffffU << (16 - ones)) & 0xffffU);
    address += (group > 0 ? ":" : "") + std::string(hex.data());
  }
  return address + "/" + std::to_string(length);
}

std::string Hex(int number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%x", static_cast<unsigned>(number));
  return text.data();
}

// Networks one by one (s), by 32 (g), and two hosts that meet all of those (t, u): rows with
// tails in both directions, pairs, and one mapping for which only the matrix is cheap.
std::string RowsInEveryView() {
  std::string services =
      "services:\n  t: { addresses: [192.0.2.1, \"2001:db9::1\"] }\n"
      "  u: { addresses: [192.0.2.2, \"2001:db9::2\"] }\n";
  std::string mappings = "mappings:\n  open: { ports: [22], priority: 5 }\n";
  for (int i = 0; i < 600; ++i) {
    const std::string n = std::to_string(i);
    services += "  s" + n + ": { addresses: [10." + std::to_string(i / 256) + "." +
                std::to_string(i % 256) + ".0/24, \"2001:db8:" + Hex(i) + "::/48\"] }\n";
    mappings += "  c" + n + ": { from: [s" + n + "], to: [s" + std::to_string((i * 7) % 600) +
                "], protocols: [sctp] }\n";
    if (i % 32 != 0) continue;
    services += "  g" + n + ": { addresses: [10." + std::to_string(i / 256) + "." +
                std::to_string(i % 256) + ".0/19, \"2001:db8:" + Hex(i) + "::/43\"] }\n";
    mappings += "  d" + n + ": { from: [g" + n + "], to: [t], ports: [" + n + "] }\n";
    mappings += "  e" + n + ": { from: [u], to: [g" + n + "], ports: [" + n + "] }\n";
  }
  return services + mappings;
}

std::vector<Deep> DeepPolicies() {
  std::vector<Deep> policies;
  std::string lists = "mappings:\n";
  for (int i = 0; i < 8; ++i) {
    lists += "  m" + std::to_string(i) + ": { protocols: [tcp], ports: [" + Every(8 + i, 60000) +
             "], source_ports: [" + Every(9 + i, 60000) + "], priority: " + std::to_string(i) +
             (i == 4 ? ", audit: true" : "") + " }\n";
  }
  policies.push_back(
      {"lists of mappings with sets of thousands of ports", lists, [](const march_shape& shape) {
         return shape.list_max == 8 && shape.set_depth >= 13 && shape.source_ports != 0 &&
                shape.audits != 0;
       }});
  std::string tables = "mappings:\n";
  for (int i = 0; i < 12; ++i) {
    tables += "  m" + std::to_string(i) + ": { protocols: [tcp, udp, sctp], ports: [" +
              Every(7 + 2 * i, 65000) + "] }\n";
  }
  policies.push_back({"a table over ports", tables,
                      [](const march_shape& shape) { return shape.table_depth >= 16; }});
  std::string source_ports = "mappings:\n";
  for (int i = 0; i < 12; ++i) {
    source_ports += "  m" + std::to_string(i) +
                    ": { protocols: [tcp], ports: [443], source_ports: [" +
                    Every(7 + 2 * i, 65000) + "] }\n";
  }
  policies.push_back({"a table over source ports", source_ports, [](const march_shape& shape) {
                        return shape.table_depth >= 1 && shape.source_port_depth >= 14;
                      }});
  policies.push_back({"a set of every other port",
                      "mappings:\n  m: { ports: [" + Every(2, 65535) + "] }\n",
                      [](const march_shape& shape) { return shape.set_depth >= 17; }});
  std::string nested = "services:\n";
  std::string nested_mappings = "mappings:\n";
  for (unsigned length = 3; length <= 128; ++length) {
    const std::string n = std::to_string(length);
    nested += "  s" + n + ": { addresses: [\"" + NestedPrefix(length) + "\"] }\n";
    nested_mappings +=
        "  m" + n + ": { from: [s" + n + "], ports: [" + n + "], priority: " + n + " }\n";
  }
  policies.push_back(
      {"networks in networks", nested + nested_mappings,
       [](const march_shape& shape) { return shape.v6.depth >= 3 && shape.v6.low_depth >= 3; }});
  policies.push_back({"rows with tails, in every view", RowsInEveryView(),
                      [](const march_shape& shape) {
                        return shape.v4.views == 15 && shape.v6.views == 15 &&
                               shape.v4.source_tail >= 2 && shape.v4.destination_tail >= 2;
                      },
                      0});
  return policies;
}

TEST_CASE("policies that drive the bounds up pass the check and load") {
  tests::SkipWithoutPrivileges();
  for (const Deep& deep : DeepPolicies()) {
    INFO(deep.name);
    MemoryFileSystem files;
    REQUIRE(
        files
            .WriteAtomically("p.yaml", "apiVersion: march/v1\nkind: Policy\n" + deep.mappings, 0600)
            .ok());
    pipeline::Options options;
    options.classify.small_matrix_bytes = deep.small_matrix_bytes;
    const auto c = pipeline::Compile(files, "p.yaml", pipeline::Stage::kObject, options);
    INFO(TextOf(c.diagnostics));
    REQUIRE(c.ok());
    const march_shape& shape = c.tables->shape;
    INFO(tests::Describe(shape));
    CHECK(deep.reached(shape));
    const std::string tables = c.tables->Bytes();
    const auto program =
        bpf::TestRun::Load({c.object->bytes, tables, MARCH_SLOT_FIRST_MAPPING + c.rules->mappings});
    INFO((program ? "" : TextOf(program.diagnostics())));
    REQUIRE(program.ok());
    const auto figures = program->Figures();
    REQUIRE(figures.ok());
    const std::uint64_t estimate = EstimateVerified(shape).total();
    CHECK(figures->verified_instructions <= estimate);
    std::cout << deep.name << ": " << tests::Describe(shape) << ": "
              << figures->verified_instructions << " of an estimated " << estimate << " verified, "
              << figures->load_time.count() / 1000 << " ms\n";
  }
}

}  // namespace
}  // namespace march
