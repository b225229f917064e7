// Model and tables on rule sets of every style and traffic for them, larger than random policies
// are: where all three views, pairs, lists and tables over layer 4 are in use.
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "compiler/pipeline/engines.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/space/protocol.h"
#include "tests/rulesets/compile.h"

namespace march {
namespace {

constexpr std::size_t kPackets = 300;  // of every kind of traffic

// In the order in which they decide.
std::vector<tests::PlainRule> InOrder(const std::vector<tests::PlainRule>& rules,
                                      const pipeline::Compilation& compilation) {
  std::vector<tests::PlainRule> ordered;
  for (const std::uint32_t mapping : compilation.tables->mappings) {
    ordered.push_back(rules[std::stoul(compilation.policy->mappings[mapping].name.substr(1))]);
  }
  return ordered;
}

space::Flow FlowOf(const tests::Packet& packet, space::Family family) {
  space::Flow flow;
  flow.protocol = packet.protocol;
  flow.source = {family, packet.source};
  flow.destination = {family, packet.destination};
  flow.source_port = packet.source_port;
  flow.destination_port = packet.destination_port;
  return flow;
}

TEST_CASE("model and tables agree on rule sets of every style") {
  unsigned views = 0;
  std::size_t tables_over_layer4 = 0;
  std::size_t decided = 0;
  for (const tests::Style style : tests::kStyles) {
    for (const space::Family family : {space::Family::kV4, space::Family::kV6}) {
      for (const std::uint32_t size : {300U, 4000U}) {
        const auto rules = tests::MakeRuleset({style, family, size, size});
        const auto compilation = tests::CompileRuleset(rules, pipeline::Stage::kTables);
        views |= unsigned{compilation.tables->shape.v4.views} | compilation.tables->shape.v6.views;
        tables_over_layer4 += compilation.tables->report.l4_tables;
        prove::ModelEngine model(*compilation.policy);
        prove::TablesEngine tables(*compilation.tables);
        const auto ordered = InOrder(rules, compilation);
        for (const tests::Traffic traffic : tests::kTraffics) {
          for (const tests::Packet& packet :
               tests::MakeTraffic(ordered, traffic, kPackets, size + 1)) {
            space::Flow flow = FlowOf(packet, family);
            for (const bool fragment : {false, true}) {
              flow.later_fragment = fragment;
              if (fragment) flow.source_port = flow.destination_port = 0;
              const auto expected = model.Decide(flow);
              const auto decision = tables.Decide(flow);
              decided += decision->mapping.has_value();
              if (*expected == *decision) continue;
              FAIL(NameOf(style) << " of " << size << ", " << flow.ToString() << ": model "
                                 << prove::DeciderName(*compilation.policy, *expected)
                                 << ", tables "
                                 << prove::DeciderName(*compilation.policy, *decision));
            }
          }
        }
      }
    }
  }
  CHECK(views ==
        (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX | MARCH_VIEW_PAIRS));
  CHECK(tables_over_layer4 > 100);
  CHECK(decided > 10000);
}

TEST_CASE("a change that keeps the shape of the tables keeps the program") {
  for (const tests::Style style : {tests::Style::kMesh, tests::Style::kAcl}) {
    auto rules = tests::MakeRuleset({style, space::Family::kV4, 2000, 1});
    const pipeline::Compilation before = tests::CompileRuleset(rules, pipeline::Stage::kObject);
    rules[1000].allow = !rules[1000].allow;
    rules[7].destination = rules[8].destination;
    const pipeline::Compilation after = tests::CompileRuleset(rules, pipeline::Stage::kObject);
    INFO(NameOf(style));
    REQUIRE(std::memcmp(&before.tables->shape, &after.tables->shape, sizeof(march_shape)) == 0);
    CHECK(before.tables->words != after.tables->words);
    CHECK(before.object->bytes == after.object->bytes);
  }
}

}  // namespace
}  // namespace march
