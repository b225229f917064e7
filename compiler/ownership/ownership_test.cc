#include "compiler/ownership/ownership.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "compiler/ownership/change.h"
#include "compiler/prove/engine.h"
#include "tests/random/compiled.h"
#include "tests/random/small_policy.h"

namespace march::ownership {
namespace {

const std::string kPolicy = "apiVersion: march/v1\nkind: Policy\n";
const std::string kOwnership = "---\napiVersion: march/v1\nkind: Ownership\nowners:\n";
const std::string kAdministrator = "  root: { members: [root@example.com], administrator: true }\n";

struct Compiled : tests::Compiled {
  explicit Compiled(const std::string& text) : tests::Compiled(text) {
    auto read = ReadOwnership(doc, policy);
    INFO(TextOf(read.diagnostics()));
    REQUIRE(read.ok());
    ownership = *std::move(read);
  }

  State state() const { return {policy, rules, ownership}; }

  Ownership ownership;
};

// The codes of what is wrong with a change, in the order of their places.
std::vector<Code> Faults(const std::string& base, const std::string& next,
                         std::string_view who = "ada@example.com") {
  const Compiled was(base);
  const Compiled is(next);
  std::vector<Code> codes;
  for (const Diagnostic& fault : CheckChange(was.state(), is.state(), {who})) {
    codes.push_back(fault.code);
  }
  return codes;
}

using Codes = std::vector<Code>;

TEST_CASE("patterns are whole names, with * for any characters") {
  CHECK(MatchesAny({"pay"}, "pay"));
  CHECK_FALSE(MatchesAny({"pay"}, "payments"));
  CHECK(MatchesAny({"x", "pay*"}, "payments"));
  CHECK(MatchesAny({"pay*"}, "pay"));
  CHECK(MatchesAny({"*-to-*"}, "a-to-b-to-c"));
  CHECK_FALSE(MatchesAny({"*-to-"}, "a-to-b"));
  CHECK(MatchesAny({"*a*b"}, "xaxbab"));
  CHECK(MatchesAny({"*"}, ""));
  CHECK_FALSE(MatchesAny({}, ""));
  // In no time.
  const std::string pattern = "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
  CHECK_FALSE(MatchesAny({pattern}, std::string(128, 'a')));
}

TEST_CASE("members are the same in capitals, keys are not") {
  Owner owner;
  owner.members = {"Ada@Example.com", "SHA256:0123456789012345678901234567890123456789abC"};
  CHECK(HasMember(owner, "ada@example.COM", false));
  CHECK_FALSE(HasMember(owner, "da@example.com", false));
  CHECK_FALSE(HasMember(owner, "ada@example.com.evil", false));
  const std::string key = "SHA256:0123456789012345678901234567890123456789abC";
  CHECK(HasMember(owner, key, true));
  CHECK_FALSE(HasMember(owner, "SHA256:0123456789012345678901234567890123456789abc", true));
  // An author's address is what the author writes there.
  CHECK_FALSE(HasMember(owner, key, false));
  CHECK_FALSE(HasMember(owner, "ada@example.com", true));
  owner.members = {"0123456789abcdef0123456789abcdef01234567"};
  CHECK(HasMember(owner, "0123456789ABCDEF0123456789ABCDEF01234567", true));
}

TEST_CASE("a definition is changed by its owners, whatever it does") {
  const std::string owners =
      kOwnership + kAdministrator +
      "  pay: { members: [ada@example.com], services: [\"pay-*\"], mappings: [\"pay-*\"],\n"
      "         traffic: [{}] }\n";
  const auto policy = [&](const std::string& services, const std::string& mappings) {
    return kPolicy + "services: " + services + "\nmappings: " + mappings + "\n" + owners;
  };
  const std::string base = policy(
      "{ pay-a: { addresses: [10.0.0.1] }, b: { addresses: [10.0.0.2] },\n"
      "            c: { addresses: [10.0.0.3], owner: pay } }",
      "{ pay-m: { to: [pay-a] }, m: { to: [b] } }");
  CHECK(Faults(base, base) == Codes{});
  // Layout, order and files are not what is said.
  CHECK(Faults(base, policy("{ c: { owner: pay, addresses: [10.0.0.3] },\n"
                            "  b: { addresses: [10.0.0.2/32] },\n  pay-a: { addresses: "
                            "[10.0.0.1] } }",
                            "{ m: { to: [b] }, pay-m: { to: [pay-a] } }")) == Codes{});
  // By pattern; by the service's word; a new one; one that goes.
  CHECK(Faults(base, policy("{ pay-a: { addresses: [10.0.0.9] }, b: { addresses: [10.0.0.2] },\n"
                            "  c: { addresses: [10.0.0.4], owner: pay },\n"
                            "  d: { addresses: [10.0.0.5], owner: pay } }",
                            "{ m: { to: [b] }, pay-n: { to: [d] } }")) == Codes{});
  // A comment of somebody else's, too.
  CHECK(Faults(base, policy("{ pay-a: { addresses: [10.0.0.1] },\n"
                            "  b: { addresses: [10.0.0.2], comment: mine },\n"
                            "  c: { addresses: [10.0.0.3], owner: pay } }",
                            "{ pay-m: { to: [pay-a] }, m: { to: [b] } }")) ==
        Codes{Code::kNotTheirDefinition});
  // To call it one's own does not make it so.
  CHECK(Faults(base, policy("{ pay-a: { addresses: [10.0.0.1] },\n"
                            "  b: { addresses: [10.0.0.2], owner: pay },\n"
                            "  c: { addresses: [10.0.0.3], owner: pay } }",
                            "{ pay-m: { to: [pay-a] }, m: { to: [b] } }")) ==
        Codes{Code::kNotTheirDefinition});
  // A mapping of no owner's.
  CHECK(Faults(base, policy("{ pay-a: { addresses: [10.0.0.1] }, b: { addresses: [10.0.0.2] },\n"
                            "  c: { addresses: [10.0.0.3], owner: pay } }",
                            "{ pay-m: { to: [pay-a] } }")) == Codes{Code::kNotTheirDefinition});
  CHECK(Faults(base, kPolicy + "defaults: { action: allow }\ncluster: other\n" +
                         base.substr(kPolicy.size())) ==
        Codes{Code::kNotTheirDefinition, Code::kNotTheirDefinition});
  CHECK(Faults(
            base,
            kPolicy + "defaults: { action: allow }\ncluster: other\n" + base.substr(kPolicy.size()),
            "root@example.com") == Codes{});
}

TEST_CASE("the base says who owns what: a change cannot permit itself") {
  const std::string base = kPolicy + "mappings: { m: {} }\n" + kOwnership + kAdministrator +
                           "  pay: { members: [ada@example.com], services: [x] }\n";
  const std::string next = kPolicy + "mappings: { m: { action: deny } }\n" + kOwnership +
                           kAdministrator +
                           "  pay: { members: [ada@example.com], administrator: true }\n";
  CHECK(Faults(base, next) ==
        Codes{Code::kNotTheirDefinition, Code::kNotTheirTraffic, Code::kNotTheirDefinition});
  CHECK(Faults(base, next, "root@example.com") == Codes{});
  CHECK(Faults(base, next, "eve@example.com") == Codes{Code::kNotAnOwner});
  CHECK(Faults(base, base, "eve@example.com") == Codes{});
  CHECK(Faults(kPolicy, next) == Codes{Code::kNoOwnership});
  // Nor can it do away with the rules.
  CHECK(Faults(base, kPolicy + "mappings: { m: {} }\n") ==
        Codes{Code::kNotTheirDefinition, Code::kNotTheirDefinition});
}

TEST_CASE("a verdict is changed by who owns the traffic, whatever definition does it") {
  const std::string owners =
      kOwnership + kAdministrator +
      "  pay: { members: [ada@example.com], services: [\"*\"], mappings: [\"*\"],\n"
      "         traffic: [{ to: [10.20.0.0/16], protocols: [tcp] }] }\n";
  const auto with = [&](const std::string& text) { return kPolicy + text + "\n" + owners; };
  const std::string base = with("services: { a: { addresses: [10.20.0.1] } }\nmappings: {}");
  const auto to = [&](const std::string& address, const std::string& rest) {
    return with("services: { a: { addresses: [" + address + "] } }\nmappings: { m: { to: [a]" +
                rest + " } }");
  };
  CHECK(Faults(base, to("10.20.0.1", ", protocols: [tcp]")) == Codes{});
  CHECK(Faults(base, to("10.20.0.1", ", protocols: [tcp, udp]")) == Codes{Code::kNotTheirTraffic});
  CHECK(Faults(base, to("10.21.0.1", ", protocols: [tcp]")) == Codes{Code::kNotTheirTraffic});
  CHECK(Faults(base, to("10.20.0.1", ", protocols: [tcp], limit: { packets: 1 }")) == Codes{});
  // The service alone changes what a mapping does.
  CHECK(Faults(to("10.20.0.1", ", protocols: [tcp]"), to("10.21.0.1", ", protocols: [tcp]")) ==
        Codes{Code::kNotTheirTraffic});
  // An audit decides nothing, and a mapping that loses everywhere neither.
  CHECK(Faults(base, to("10.21.0.1", ", audit: true")) == Codes{});
  CHECK(Faults(with("services: { a: { addresses: [10.21.0.1] } }\n"
                    "mappings: { deny-all: { action: deny, priority: 9 } }"),
               with("services: { a: { addresses: [10.21.0.1] } }\n"
                    "mappings: { deny-all: { action: deny, priority: 9 }, m: { to: [a] } }")) ==
        Codes{});
}

TEST_CASE("what a change does to names could be done to any address") {
  const std::string owners =
      kOwnership + kAdministrator +
      "  pay: { members: [ada@example.com], services: [\"*\"], mappings: [\"*\"],\n"
      "         traffic: [{ to: [10.20.0.0/16] }] }\n"
      "  out: { members: [eve@example.com], services: [\"*\"], mappings: [\"*\"],\n"
      "         traffic: [{ from: [10.20.0.0/16] }] }\n";
  const auto with = [&](const std::string& name) {
    return kPolicy + "services: { a: { addresses: [10.20.0.1] }, n: { fqdns: [" + name +
           "] }, u: { services: [n] } }\nmappings: { m: { from: [a], to: [u] } }\n" + owners;
  };
  CHECK(Faults(with("api.example.com"), with("evil.example.com")) == Codes{Code::kNotTheirTraffic});
  CHECK(Faults(with("api.example.com"), with("evil.example.com"), "eve@example.com") == Codes{});
  CHECK(Faults(with("api.example.com"), with("api.example.com")) == Codes{});
}

TEST_CASE("what could be done to names by way of others counts, and what could not does not") {
  const std::string owners =
      kOwnership + kAdministrator +
      "  pay: { members: [ada@example.com], services: [\"*\"], mappings: [\"pay-*\"],\n"
      "         traffic: [{ to: [10.20.0.0/16] }] }\n";
  const auto with = [&](const std::string& local, const std::string& mappings) {
    return kPolicy +
           "services:\n  n: { fqdns: [api.example.com] }\n  lan: { addresses: [10.30.0.0/16] }\n" +
           "  a: { addresses: [" + local + "] }\n  u: { services: [n, a] }\nmappings:\n" +
           "  out: { to: [u] }\n" + mappings + owners;
  };
  const std::string base = with("10.20.0.1", "");
  // Addresses of one's own beside the names are no matter of the names.
  CHECK(Faults(base, with("10.20.0.1, 10.20.0.2", "")) == Codes{});
  // A deny goes that kept the names away from others' addresses; or one's own.
  CHECK(Faults(with("10.20.0.1", "  pay-no: { to: [lan], action: deny, priority: 9 }\n"), base) ==
        Codes{Code::kNotTheirTraffic});
  CHECK(Faults(with("10.20.0.1", "  pay-no: { to: [a], action: deny, priority: 9 }\n"), base) ==
        Codes{});
}

TEST_CASE("fragments have no ports, so they are for those who own all of them") {
  const auto with = [&](const std::string& mapping, const std::string& ports) {
    return kPolicy + "services: { web: { addresses: [10.20.0.5] } }\nmappings:\n" +
           "  all: { to: [web], protocols: [tcp] }\n" + mapping + kOwnership + kAdministrator +
           "  pay: { members: [ada@example.com], mappings: [\"pay-*\"],\n" +
           "         traffic: [{ to: [10.20.0.0/16], protocols: [tcp]" + ports + " }] }\n";
  };
  const std::string block =
      "  pay-no: { to: [web], protocols: [tcp], ports: [5432], action: deny, priority: 5 }\n";
  CHECK(Faults(with("", ", ports: [5432]"), with(block, ", ports: [5432]")) ==
        Codes{Code::kNotTheirTraffic});
  CHECK(Faults(with(block, ", ports: [5432]"), with("", ", ports: [5432]")) ==
        Codes{Code::kNotTheirTraffic});
  CHECK(Faults(with("", ""), with(block, "")) == Codes{});
  // They did not pass before, and do not now.
  const std::string other =
      "  zz: { to: [web], protocols: [tcp], ports: [1], action: deny, priority: 5 }\n";
  CHECK(Faults(with(other, ", ports: [5432]"), with(other + block, ", ports: [5432]")) == Codes{});
}

TEST_CASE("services within services within services are looked at once each") {
  std::string services =
      "services:\n  p0a: { fqdns: [a.example.com] }\n  p0b: { addresses: [10.20.0.1] }\n";
  for (int i = 1; i < 30; ++i) {
    const std::string below = "p" + std::to_string(i - 1);
    for (const char* const side : {"a", "b"}) {
      services +=
          "  p" + std::to_string(i) + side + ": { services: [" + below + "a, " + below + "b] }\n";
    }
  }
  const std::string base =
      kPolicy + services + "  vip: { addresses: [10.20.0.9] }\nmappings:\n  m: { to: [p29a] }\n" +
      "  r: { to: [vip], action: redirect, backends: { service: p29b }, priority: 1 }\n" +
      kOwnership + kAdministrator + "  pay: { members: [ada@example.com], services: [\"*\"] }\n";
  CHECK(Faults(base, base) == Codes{});
  std::string next = base;
  next.replace(next.find("a.example"), 1, "b");
  CHECK(Faults(base, next) == Codes{Code::kNotTheirTraffic, Code::kNotTheirTraffic});
}

// With every name theirs, exactly those changes are refused that alter the treatment of a packet
// that is not: against brute force.
TEST_CASE("no change outside of one's traffic passes, and none inside is refused") {
  const std::vector<space::Flow> universe = tests::SmallUniverse();
  tests::Random random(7);
  const std::vector<std::string> regions = {
      "{ to: [10.0.0.0/31] }",        "{ from: [10.0.0.2/31] }", "{ protocols: [tcp], ports: [1] }",
      "{ to: [\"2001:db8::/127\"] }", "{ to: [0.0.0.0/0] }",     "{}"};
  int refused = 0;
  int passed = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string owners = kOwnership + kAdministrator +
                               "  pay: { members: [ada@example.com], services: [\"*\"], mappings: "
                               "[\"*\"], traffic: [" +
                               random.Pick(regions) + ", " + random.Pick(regions) + "] }\n";
    const std::string text = tests::SmallPolicy(random);
    std::string next = text + "  extra: { to: [s0], action: deny, priority: 1 }\n";
    const Compiled was(text + owners);
    const Compiled is(next + owners);
    const space::PacketSet& theirs = was.ownership.owners[0].traffic;
    prove::ModelEngine before(was.policy);
    prove::ModelEngine after(is.policy);
    const bool expected =
        std::any_of(universe.begin(), universe.end(), [&](const space::Flow& flow) {
          return before.Decide(flow)->action != after.Decide(flow)->action &&
                 !theirs.Contains(flow);
        });
    const Diagnostics faults = CheckChange(was.state(), is.state(), {"ada@example.com"});
    INFO(next << owners << TextOf(faults));
    REQUIRE(faults.empty() == !expected);
    (expected ? refused : passed) += 1;
  }
  CHECK(refused > 50);
  CHECK(passed > 50);
}

}  // namespace
}  // namespace march::ownership
