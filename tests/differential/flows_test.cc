// Four ways to decide a flow that must never differ: a search over the plain rules, the model, the
// tables, and the program in the kernel; over rule sets of every style and family, traffic of every
// kind, and flows at the edges of prefixes and ports.
//
// MARCH_FLOWS=10000000 does it with so many flows in all and rule sets of up to 100,000 rules.
#include <sys/types.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <span>

#include "bundle/abi/verdict.h"
#include "cli/kernel_prover.h"
#include "compiler/prove/engine.h"
#include "compiler/prove/witness.h"
#include "compiler/space/protocol.h"
#include "tests/differential/oracle.h"
#include "tests/rulesets/compile.h"

namespace march {
namespace {

using space::Family;
using space::Uint128;

struct Plan {
  std::vector<std::uint32_t> sizes = {100, 2000};
  std::size_t flows = 200'000;  // in all
  bool told = false;
};

Plan MakePlan() {
  Plan plan;
  if (const char* const flows = std::getenv("MARCH_FLOWS")) {
    plan.sizes = {1000, 10'000, 100'000};
    plan.flows = std::stoull(flows);
    plan.told = true;
  }
  return plan;
}

space::Flow FlowOf(const tests::Packet& packet, Family family) {
  space::Flow flow;
  flow.protocol = packet.protocol;
  flow.source = {family, packet.source};
  flow.destination = {family, packet.destination};
  flow.source_port = packet.source_port;
  flow.destination_port = packet.destination_port;
  return flow;
}

space::Flow WithoutPorts(space::Flow flow) {
  flow.source_port = flow.destination_port = 0;
  flow.icmp_type = flow.icmp_code = 0;
  return flow;
}

// The first or last address of a prefix, or the one before or behind it.
Uint128 AtEdge(tests::Random& random, const space::Prefix& prefix) {
  const Uint128 last = space::LastOf(prefix.address.family);
  switch (random.Below(4)) {
    case 0:
      return prefix.First();
    case 1:
      return prefix.Last();
    case 2:
      return prefix.First() == 0 ? last : prefix.First() - 1;
    default:
      return prefix.Last() == last ? 0 : prefix.Last() + 1;
  }
}

// Around the edges of one rule, or between those of two; some of other protocols, or fragments.
space::Flow EdgeFlow(tests::Random& random, const std::vector<tests::PlainRule>& rules,
                     Family family) {
  static const std::vector<std::uint8_t> others = {1, 2, 47, 50, 58, 89, 132, 254, 255};
  const auto count = static_cast<std::uint32_t>(rules.size());
  const tests::PlainRule& rule = rules[random.Below(count)];
  const tests::PlainRule& other = random.OneIn(3) ? rules[random.Below(count)] : rule;
  const std::uint16_t ports[] = {rule.first_port, rule.last_port,
                                 static_cast<std::uint16_t>(rule.first_port - 1),
                                 static_cast<std::uint16_t>(rule.last_port + 1)};
  tests::Packet packet;
  packet.source = AtEdge(random, rule.source);
  packet.destination = AtEdge(random, other.destination);
  packet.protocol = random.OneIn(8) ? random.Pick(others) : rule.protocol;
  packet.source_port = static_cast<std::uint16_t>(random.Below(65536));
  packet.destination_port = ports[random.Below(4)];
  space::Flow flow = FlowOf(packet, family);
  if (!space::HasPorts(flow.protocol)) flow = WithoutPorts(flow);
  if (space::IsIcmp(flow.protocol)) flow.SetDetail(packet.destination_port);
  return flow;
}

std::vector<space::Flow> MakeFlows(const std::vector<tests::PlainRule>& rules,
                                   const tests::Oracle& oracle, Family family, std::size_t count) {
  std::vector<tests::PlainRule> ordered;
  for (const std::uint32_t rule : oracle.order()) ordered.push_back(rules[rule]);
  tests::Random random(count);
  std::vector<space::Flow> flows;
  // Half of them are traffic of every kind, half lie at edges; of both, one in eight is a fragment.
  for (const tests::Traffic traffic : tests::kTraffics) {
    for (const auto& packet :
         tests::MakeTraffic(ordered, traffic, count / 2 / std::size(tests::kTraffics), 11)) {
      flows.push_back(FlowOf(packet, family));
    }
  }
  while (flows.size() < count) flows.push_back(EdgeFlow(random, rules, family));
  for (space::Flow& flow : flows) {
    if (!random.OneIn(8)) continue;
    flow = WithoutPorts(flow);
    flow.later_fragment = true;
  }
  return flows;
}

// One rule set and everything that decides by it.
class Contest {
 public:
  Contest(const tests::RulesetOptions& options, bool with_kernel)
      : family_(options.family),
        rules_(tests::MakeRuleset(options)),
        oracle_(rules_),
        compilation_(CompileRuleset(
            rules_, with_kernel ? pipeline::Stage::kObject : pipeline::Stage::kTables)),
        tables_(*compilation_.tables) {
    if (!with_kernel) return;
    const auto feeder = pipeline::CompileFeeder();
    REQUIRE(feeder);
    const std::string bytes = compilation_.tables->Bytes();
    const auto slots = static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + rules_.size());
    auto loaded =
        cli::KernelProver().Load({compilation_.object->bytes, bytes, slots, feeder->bytes});
    INFO((loaded ? "" : TextOf(loaded.diagnostics())));
    REQUIRE(loaded);
    kernel_ = *std::move(loaded);
  }

  void Run(std::size_t count) {
    const std::vector<space::Flow> flows = MakeFlows(rules_, oracle_, family_, count);
    CheckOracle(flows);
    std::vector<march_witness> batch;
    for (const space::Flow& flow : flows) {
      const prove::Decision expected = oracle_.Decide(flow);
      ++seen_[expected.mapping ? "mapping" : Name(expected)];
      const auto decision = tables_.Decide(flow);
      if (!(*decision == expected)) Differ(flow, expected, "tables " + Name(*decision));
      if (kernel_ == nullptr) continue;
      batch.push_back(prove::WitnessOf(flow, FateOf(expected)));
      if (batch.size() == prove::Kernel::kMostAtOnce) Send(batch);
    }
    if (!batch.empty()) Send(batch);
  }

  const std::map<std::string, std::size_t>& seen() const { return seen_; }

 private:
  std::string Name(const prove::Decision& decision) const {
    return prove::DeciderName(*compilation_.policy, decision);
  }

  prove::Fate FateOf(const prove::Decision& decision) const {
    const std::uint32_t slot = decision.mapping
                                   ? MARCH_SLOT_FIRST_MAPPING + oracle_.RankOf(*decision.mapping)
                                   : decision.reason;
    return {slot, decision.action == model::Action::kAllow, 0};
  }

  // The oracle is checked itself, on flows from all over.
  void CheckOracle(const std::vector<space::Flow>& flows) {
    const std::size_t samples = std::min<std::size_t>(200, 2'000'000 / rules_.size());
    prove::ModelEngine model(*compilation_.policy);
    for (std::size_t i = 0; i < samples; ++i) {
      const space::Flow& flow = flows[flows.size() * i / samples];
      const auto expected = model.Decide(flow);
      if (!(*expected == oracle_.Decide(flow))) {
        Differ(flow, *expected, "oracle " + Name(oracle_.Decide(flow)));
      }
    }
  }

  void Send(std::vector<march_witness>& batch) {
    const auto misses = kernel_->Run(batch);
    INFO((misses ? "" : TextOf(misses.diagnostics())));
    REQUIRE(misses);
    for (const prove::KernelMiss& miss : *misses) {
      const space::Flow flow = prove::FlowOf(batch.at(miss.index));
      Differ(flow, oracle_.Decide(flow), "kernel action " + std::to_string(miss.xdp_action));
    }
    batch.clear();
  }

  void Differ(const space::Flow& flow, const prove::Decision& expected, const std::string& other) {
    FAIL(flow.ToString() << ": expected " << Name(expected) << ", " << other);
  }

  Family family_;
  std::vector<tests::PlainRule> rules_;
  tests::Oracle oracle_;
  pipeline::Compilation compilation_;
  prove::TablesEngine tables_;
  std::unique_ptr<prove::Kernel> kernel_;
  std::map<std::string, std::size_t> seen_;
};

void RunAll(const Plan& plan, bool with_kernel) {
  constexpr std::size_t kFamilies = 2;
  const std::size_t contests = std::size(tests::kStyles) * kFamilies * plan.sizes.size();
  const std::size_t flows = (plan.flows + contests - 1) / contests;
  std::map<std::string, std::size_t> seen;
  for (const tests::Style style : tests::kStyles) {
    for (const Family family : {Family::kV4, Family::kV6}) {
      for (const std::uint32_t size : plan.sizes) {
        INFO(NameOf(style) << " v" << static_cast<unsigned>(family) << " of " << size);
        const auto start = std::chrono::steady_clock::now();
        Contest contest({style, family, size, size}, with_kernel);
        contest.Run(flows);
        for (const auto& [kind, count] : contest.seen()) seen[kind] += count;
        if (!plan.told) continue;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        std::cout << NameOf(style) << " v" << static_cast<unsigned>(family) << " of " << size
                  << " rules: " << flows << " flows, " << took.count() << " s" << std::endl;
      }
    }
  }
  // The comparison is worth something only if every kind of verdict was met often.
  for (const char* kind : {"mapping", "-", "(fragment)"}) {
    INFO(kind);
    CHECK(seen[kind] > plan.flows / 100);
    if (plan.told) std::cout << kind << ": " << seen[kind] << std::endl;
  }
}

TEST_CASE("plain rules, model and tables agree on every flow") {
  if (!MakePlan().told) RunAll(MakePlan(), false);
}

TEST_CASE("plain rules, model, tables and kernel agree on every flow") {
  if (geteuid() != 0) {
    std::cerr << "SKIPPED: the program in the kernel needs root\n";
    std::exit(77);
  }
  RunAll(MakePlan(), true);
}

}  // namespace
}  // namespace march
