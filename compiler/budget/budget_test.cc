// What a packet costs, and when a program is too much for the kernel, without a kernel.
#include <catch2/catch.hpp>
#include <functional>

#include "base/file_system.h"
#include "base/print.h"
#include "compiler/budget/counting_walk.h"
#include "compiler/budget/lines.h"
#include "compiler/budget/verifier.h"
#include "compiler/classify/native_walk.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/random/random_policy.h"

namespace march::budget {
namespace {

pipeline::Compilation Compile(const std::string& text, const pipeline::Options& options = {},
                              pipeline::Stage until = pipeline::Stage::kTables) {
  MemoryFileSystem files;
  REQUIRE(
      files.WriteAtomically("p.yaml", "apiVersion: march/v1\nkind: Policy\n" + text, 0600).ok());
  return pipeline::Compile(files, "p.yaml", until, options);
}

TEST_CASE("a policy without mappings of a family reads nothing but its own line and the counter") {
  const auto c =
      Compile("services: { a: { addresses: [10.0.0.1] } }\nmappings: { m: { to: [a] } }\n");
  REQUIRE(c.ok());
  const LineCount v6 = CountLines(space::Family::kV6, *c.rules, *c.tables);
  CHECK(v6.bound == 2);
  CHECK(v6.mappings.packets == 0);
  CHECK(v6.pairs.packets == 4);  // from and to the first and the last address there is
  CHECK(v6.pairs.mean == 2);
  CHECK(v6.pairs.most == 2);

  const LineCount v4 = CountLines(space::Family::kV4, *c.rules, *c.tables);
  CHECK(v4.mappings.packets == 1);
  // The family, root and cell of either side, a line of keys for the destination, the matrix, the
  // set of all ports and the counter: the source has no keys, so its step looks at line 0.
  CHECK(v4.bound == 10);
  CHECK(v4.mappings.most <= 10);
  CHECK(v4.mappings.most >= 6);
  // 0, the last address, and three around the host.
  CHECK(v4.all_pairs == 2 * 5);
}

TEST_CASE("no packet reads more lines than its bound") {
  tests::Random random(7);
  for (std::uint32_t round = 0; round < 40; ++round) {
    // With and without the matrix that spares small policies all rows.
    pipeline::Options options;
    if (round % 2 == 0) options.classify.small_matrix_bytes = 0;
    if (round % 4 == 0) options.classify.large_matrix_bytes = 0;
    MemoryFileSystem files;
    REQUIRE(files.WriteAtomically("p.yaml", tests::RandomPolicy(random, 5 + 4 * (round % 10)), 0600)
                .ok());
    const auto c = pipeline::Compile(files, "p.yaml", pipeline::Stage::kTables, options);
    INFO(TextOf(c.diagnostics));
    REQUIRE(c.ok());
    for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
      const LineCount count = CountLines(family, *c.rules, *c.tables);
      CHECK(count.mappings.most <= count.bound);
      CHECK(count.pairs.most <= count.bound);
      CHECK(count.pairs.mean <= count.pairs.most);
      CHECK(count.pairs.packets == std::min(count.all_pairs, kMostPairs));
    }
    for (const space::Flow& flow : tests::RandomFlows(random, *c.policy, 200, true)) {
      march_key key{};
      key.src_hi = static_cast<std::uint64_t>(flow.source.value >> 64);
      key.src_lo = static_cast<std::uint64_t>(flow.source.value);
      key.dst_hi = static_cast<std::uint64_t>(flow.destination.value >> 64);
      key.dst_lo = static_cast<std::uint64_t>(flow.destination.value);
      key.family = static_cast<std::uint32_t>(flow.source.family);
      key.l4 = flow.later_fragment ? MARCH_L4_FRAGMENT | MARCH_L4_KEY(flow.protocol, 0U)
                                   : MARCH_L4_KEY(flow.protocol, std::uint32_t{flow.Detail()});
      key.source_port = flow.later_fragment ? 0 : flow.source_port;
      std::uint32_t audit = 0;
      const std::uint32_t lines =
          march_count_lines(c.tables->words.data(), c.tables->words.size(), &key, &audit);
      INFO(flow.ToString());
      CHECK(lines + 1 + (audit != 0 ? 1 : 0) <= MostLines(flow.source.family, c.tables->shape));
      // Counting changes nothing of what is found.
      std::uint32_t same = 0;
      march_native_classify(c.tables->words.data(), c.tables->words.size(), &key, &same);
      CHECK(same == audit);
    }
  }
}

TEST_CASE("an estimate grows with every bound") {
  march_shape shape{};
  shape.v4.views = shape.v6.views = MARCH_VIEW_MATRIX;
  const std::uint64_t before = EstimateVerified(shape).total();
  using Change = std::function<void(march_shape&)>;
  for (const Change& change : std::initializer_list<Change>{
           [](march_shape& s) { ++s.v4.depth; }, [](march_shape& s) { ++s.v6.depth; },
           [](march_shape& s) { ++s.v6.low_depth; }, [](march_shape& s) { ++s.v4.source_tail; },
           [](march_shape& s) { s.v4.views |= MARCH_VIEW_SOURCE; },
           [](march_shape& s) { s.list_max = 2; }, [](march_shape& s) { ++s.table_depth; },
           [](march_shape& s) { ++s.source_port_depth; }, [](march_shape& s) { ++s.set_depth; },
           [](march_shape& s) { s.source_ports = 1; }, [](march_shape& s) { s.audits = 1; }}) {
    march_shape more = shape;
    change(more);
    CHECK(EstimateVerified(more).total() > before);
  }
}

TEST_CASE("a program beyond the budget names what makes it large, and where") {
  const std::string text =
      "services:\n"
      "  hosts: { addresses: [\"2001:db8::1\", \"2001:db8::3\", \"2001:db8::5\"] }\n"
      "mappings:\n"
      "  few: { to: [hosts], ports: [1, 3], source_ports: [7] }\n"
      "  many: { to: [hosts], ports: [1, 3, 5, 7, 9, 11, 13, 15], protocols: [tcp] }\n"
      "  other: { to: [hosts], ports: [2, 4], protocols: [tcp], audit: true }\n";
  pipeline::Options options;
  options.budget.max_verified = 1000;
  const auto c = Compile(text, options, pipeline::Stage::kBundle);
  REQUIRE(c.diagnostics.size() == 1);
  const Diagnostic& refused = c.diagnostics[0];
  CHECK(refused.code == Code::kProgramTooLarge);
  CHECK(refused.message.starts_with("the kernel's verifier could look at "));
  CHECK(refused.message.find(" instructions, more than the 1000 allowed; ") != std::string::npos);
  CHECK(refused.message.find(" of them for looking through up to 3 mappings in one place, whose "
                             "sets of ports take 3 halvings to search") != std::string::npos);
  CHECK(refused.range.ToString() == "p.yaml:7:3");
  REQUIRE(refused.notes.size() == 3);
  CHECK(refused.notes[0].message == "\"many\" is about 8 intervals of protocols and ports");
  CHECK(refused.notes[1].message == "\"few\" meets 2 others in one place, more than anywhere else");
  CHECK(refused.notes[1].range.ToString() == "p.yaml:6:3");
  CHECK(refused.notes[2].message == "\"few\" names 3 intervals of IPv6 addresses");
  CHECK(refused.hint.find("ranges of ports rather than many single ones") != std::string::npos);
  CHECK(refused.hint.ends_with("; or raise --max-verified"));
  CHECK_FALSE(c.bundle);

  CHECK(Compile(text, {}, pipeline::Stage::kBundle).ok());
}

TEST_CASE("a program that jumps cannot cross, or that needs too much stack, is refused") {
  const auto c = Compile("mappings: { m: {} }\n", {}, pipeline::Stage::kObject);
  REQUIRE(c.ok());
  clang::BpfObject object = *c.object;
  CHECK(object.stack_bytes > 0);
  CHECK(CheckBudget(*c.policy, *c.rules, *c.tables, object).ok());
  object.longest_function = kMaxInstructions + 1;
  const auto too_long = CheckBudget(*c.policy, *c.rules, *c.tables, object);
  REQUIRE_FALSE(too_long.ok());
  CHECK(too_long.diagnostics()[0].code == Code::kProgramTooLarge);
  object.longest_function = 1;
  object.stack_bytes = kMaxStackBytes + 1;
  const auto too_deep = CheckBudget(*c.policy, *c.rules, *c.tables, object);
  REQUIRE_FALSE(too_deep.ok());
  CHECK(too_deep.diagnostics()[0].message ==
        "the generated program needs 513 bytes of stack, more than the 512 there are");
}

}  // namespace
}  // namespace march::budget
