// What is switched off is not there: without a feature, in the policy or in the gateway's
// configuration, a program in the kernel has fewer instructions, and the feature's maps are none of
// its own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/print.h"
#include "runtime/daemon/config.h"
#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

using Keys = std::vector<std::pair<std::string, std::string>>;  // of a map, with their values

// What a gateway can be asked for, all of it.
const Keys kAll = {{"connections", "{ established: 1024, new: 1024 }"},
                   {"drops", "1000"},
                   {"allows", "10"},
                   {"forward", "fast"},
                   {"reject", "1000"},
                   {"land", "true"},
                   {"tcp_flags", "true"},
                   {"martians", "true"},
                   {"spoofed", "true"},
                   {"block_list", "1024"},
                   {"syn_per_source", "{ rate: 10 }"},
                   {"icmp_per_source", "{ rate: 10 }"},
                   {"flows_per_source", "{ rate: 10 }"},
                   {"syn_cookies", "{ above: 10 }"}};

std::string RuntimeOf(const Keys& keys) {
  std::string top;
  std::string abuse;
  std::string events;
  std::string answers = "0";
  bool has_connections = false;
  for (const auto& [key, value] : keys) {
    const std::string text = key + ": " + value;
    if (key == "connections" || key == "forward") {
      top += text + "\n";
      has_connections = has_connections || key == "connections";
    } else if (key == "drops" || key == "allows") {
      events += (events.empty() ? "" : ", ") + text;
    } else if (key == "reject") {
      answers = value;
    } else {
      abuse += (abuse.empty() ? "" : ", ") + text;
    }
  }
  if (events.find("drops") == std::string::npos) {
    events += std::string(events.empty() ? "" : ", ") + "drops: 0";
  }
  if (!has_connections) top += "connections: { established: 0 }\n";
  if (!abuse.empty()) top += "abuse: { " + abuse + " }\n";
  return "apiVersion: march/v1\nkind: Runtime\ninterfaces: [a]\ntrusted_keys: [/none]\n"
         "control: { socket: /none }\nstate: /none\nevents: { " +
         events + " }\nreject: { answer: denied, per_second: " + answers + " }\n" + top;
}

march_config ConfigOf(const Keys& keys) {
  const Source source("runtime.yaml", RuntimeOf(keys));
  const auto config = daemon::ParseConfig(source);
  INFO((config.ok() ? "" : TextOf(config.diagnostics())));
  REQUIRE(config.ok());
  return config->gateway;
}

Keys Without(Keys keys, const std::vector<std::string>& names) {
  std::erase_if(keys, [&](const auto& each) {
    return std::find(names.begin(), names.end(), each.first) != names.end();
  });
  return keys;
}

// A policy that uses everything, but for what is said here.
struct Uses {
  bool connections = true;
  bool limits = true;
  bool rejects = true;
};

std::string PolicyOf(const Uses& uses) {
  const std::string attributes = std::string(uses.connections ? "" : ", stateful: false") +
                                 (uses.limits ? ", limit: { packets: 10, per: source }" : "");
  return "apiVersion: march/v1\nkind: Policy\n"
         "services: { servers: { addresses: [10.2.0.0/16, \"2001:db8::/32\"] } }\nmappings:\n"
         "  web: { to: [servers], protocols: [tcp], ports: [80]" +
         attributes + " }\n  old: { to: [servers], protocols: [tcp], ports: [23], action: " +
         (uses.rejects ? "reject" : "deny") + " }\n";
}

struct Loaded {
  std::uint32_t instructions = 0;
  std::set<std::string> maps;
};

Loaded Load(const Keys& keys, const Uses& uses = {}) {
  const march_config config = ConfigOf(keys);
  Gateway gateway({config.flows.established * MARCH_FLOW_LANES,
                   config.flows.fresh * MARCH_FLOW_LANES, config.limits.lines},
                  config);
  gateway.Enforce(PolicyOf(uses));
  const bpf::LoadFigures figures = gateway.Figures();
  return {figures.instructions, {figures.maps.begin(), figures.maps.end()}};
}

// The maps that `more` has and `less` has not.
std::set<std::string> Gone(const Loaded& more, const Loaded& less) {
  std::set<std::string> gone;
  std::set_difference(more.maps.begin(), more.maps.end(), less.maps.begin(), less.maps.end(),
                      std::inserter(gone, gone.end()));
  return gone;
}

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("what the configuration does not ask for is not in the program") {
  struct Removal {
    std::string feature;
    std::vector<std::string> before;  // removed already: it needs the feature, or its maps
    Names maps;                       // that go with the feature
  };
  const std::vector<std::string> needs_connections = {"flows_per_source", "syn_cookies"};
  const std::vector<std::string> rates = {"syn_per_source", "icmp_per_source", "flows_per_source"};
  const std::vector<Removal> removals = {
      {"connections", needs_connections, {"march_flow_buck", "march_flows", "march_scratch"}},
      {"drops", {"allows"}, {"march_events", "march_event_bud"}},
      {"allows", {}, {}},
      {"forward", {}, {"march_next_hops", "march_refreshed"}},
      {"reject", {}, {"march_answered"}},
      {"land", {}, {}},
      {"tcp_flags", {}, {}},
      {"martians", {}, {}},
      {"spoofed", {}, {"march_own_addre"}},
      {"block_list", {}, {"march_blocks", "march_block_fil"}},
      {"syn_per_source", {}, {}},
      {"icmp_per_source", {}, {}},
      {"flows_per_source", {}, {}},
      {"syn_cookies", {}, {"march_real_sour"}},
      // Who answers has to know the gateway's interfaces.
      {"reject", {"forward", "syn_cookies"}, {"march_answered", "march_interface"}},
      {"syn_cookies",
       {"syn_per_source", "icmp_per_source", "flows_per_source", "reject", "forward"},
       {"march_real_sour", "march_interface"}},
  };
  for (const Removal& removal : removals) {
    INFO(removal.feature);
    const Keys before = Without(kAll, removal.before);
    const Loaded with = Load(before);
    const Loaded without = Load(Without(before, {removal.feature}));
    CHECK(without.instructions < with.instructions);
    CHECK(Gone(with, without) == removal.maps);
    CHECK(Gone(without, with).empty());
  }
}

TEST_CASE("what the policy does not use is not in the program") {
  const Loaded all = Load(kAll);
  const Loaded stateless = Load(kAll, {.connections = false});
  CHECK(stateless.instructions < all.instructions);
  CHECK(Gone(all, stateless) ==
        Names{"march_flow_buck", "march_flows", "march_real_sour", "march_scratch"});

  const Loaded unlimited = Load(kAll, {.limits = false});
  CHECK(unlimited.instructions < all.instructions);

  const Keys quiet = Without(kAll, {"syn_per_source", "icmp_per_source", "flows_per_source",
                                    "syn_cookies", "reject", "forward"});
  const Loaded limited = Load(quiet);
  CHECK(Gone(limited, Load(quiet, {.limits = false})) == Names{"march_limit_buc"});

  const Loaded silent = Load(kAll, {.rejects = false});
  CHECK(silent.instructions < all.instructions);
}

TEST_CASE("where nothing is asked for, there is the policy and nothing else") {
  const Loaded least = Load({}, {.connections = false, .limits = false, .rejects = false});
  CHECK(least.maps == Names{".rodata.march", "march_counters", "march_tables"});
}

}  // namespace march::tests
