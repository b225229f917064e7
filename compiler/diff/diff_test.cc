// Changes against brute force: every packet of a small universe, judged by the model engine.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "compiler/diff/changes.h"
#include "compiler/prove/engine.h"
#include "compiler/ruleset/regions.h"
#include "tests/random/compiled.h"
#include "tests/random/small_policy.h"

namespace march::diff {
namespace {

struct Compiled : tests::Compiled {
  using tests::Compiled::Compiled;

  Side side() const { return {policy, rules}; }

  // What the model does with a packet.
  std::string Treatment(const space::Flow& flow) const {
    const auto decision = *prove::ModelEngine(policy).Decide(flow);
    std::string text(model::ActionName(decision.action));
    if (!decision.mapping) return text;
    for (const auto& attribute : policy.mappings[*decision.mapping].attributes) {
      text += attribute.name + attribute.value;
    }
    return text;
  }
};

void Replace(std::string& text, const std::string& what, const std::string& by) {
  if (const std::size_t at = text.find(what); at != std::string::npos) {
    text.replace(at, what.size(), by);
  }
}

// Another policy, or the same with a few things changed.
std::string Next(const std::string& text, tests::Random& random) {
  if (random.OneIn(4)) return tests::SmallPolicy(random);
  std::string next = text;
  if (random.OneIn(2)) Replace(next, "action: allow", "action: deny");
  if (random.OneIn(2)) Replace(next, "action: deny", "action: reject");
  if (random.OneIn(2)) Replace(next, "10.0.0.0/31", "10.0.0.2/31");
  if (random.OneIn(3)) Replace(next, "priority: 1", "priority: 0");
  if (random.OneIn(4)) Replace(next, "packets: 1", "packets: 2");
  if (random.OneIn(8)) Replace(next, "kind: Policy\n", "kind: Policy\ncluster: c\n");
  if (random.OneIn(4)) Replace(next, "mappings:\n", "mappings:\n  n: { to: [s0] }\n");
  // A limit does not go with every action.
  const auto source = std::make_shared<const Source>("p.yaml", next);
  const auto doc = yaml::ParsePolicyDoc({source});
  return model::BuildPolicy(*doc).ok() ? next : text;
}

TEST_CASE("the changes are the packets whose treatment differs, and no others") {
  const std::vector<space::Flow> universe = tests::SmallUniverse();
  tests::Random random(1);
  int with_changes = 0;
  int without = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string text = tests::SmallPolicy(random);
    const Compiled before(text);
    const Compiled after(Next(text, random));
    const auto changes = FindChanges(before.side(), after.side());
    (changes.empty() ? without : with_changes) += 1;
    for (const space::Flow& flow : universe) {
      const auto holds = [&](const Change& change) { return change.packets.Contains(flow); };
      const auto count = std::count_if(changes.begin(), changes.end(), holds);
      INFO(before.source->text() << "\n" << after.source->text() << flow.ToString());
      REQUIRE(count == (before.Treatment(flow) == after.Treatment(flow) ? 0 : 1));
      if (count == 0) continue;
      const auto& change = *std::find_if(changes.begin(), changes.end(), holds);
      CHECK(TreatmentOf(before.side(), change.before) != TreatmentOf(after.side(), change.after));
    }
  }
  CHECK(with_changes > 100);
  CHECK(without > 20);
}

TEST_CASE("what stands behind a name in an attribute is part of the treatment") {
  const std::string text =
      "apiVersion: march/v1\nkind: Policy\n"
      "services: { vip: { addresses: [10.0.0.1] }, pool: { addresses: [10.1.0.1] } }\n"
      "mappings: { m: { to: [vip], action: redirect, backends: { service: pool } } }\n";
  std::string moved = text;
  Replace(moved, "10.1.0.1", "10.1.0.2");
  const Compiled before(text);
  const Compiled after(moved);
  const auto changes = FindChanges(before.side(), after.side());
  REQUIRE(changes.size() == 1);
  CHECK(SameSet(changes[0].packets, PacketsOf(before.rules.rules[0])));
  CHECK(FindChanges(before.side(), before.side()).empty());
}

TEST_CASE("names reach every address, until they are resolved") {
  const std::string text =
      "apiVersion: march/v1\nkind: Policy\n"
      "services: { a: { addresses: [10.0.0.1] }, api: { fqdns: [api.example.com] } }\n"
      "mappings: { m: { from: [a], to: [api], protocols: [tcp], ports: [443] } }\n";
  const Compiled before(text);
  CHECK(FindNamedChanges(before.side(), before.side()).empty());
  std::string other = text;
  Replace(other, "443", "444");
  const Compiled after(other);
  const auto changes = FindNamedChanges(before.side(), after.side());
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].packets.Witness()->ToString() == "tcp 10.0.0.1:40000 > 0.0.0.1:443");
  CHECK(changes[0].packets.Size() == space::PacketCount(1) * 65536 * (space::PacketCount(1) << 32));
}

}  // namespace
}  // namespace march::diff
