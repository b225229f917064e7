#include "runtime/daemon/config.h"

#include <catch2/catch.hpp>

#include "base/print.h"

namespace march::daemon {
namespace {

const std::string kRest =
    "interfaces: [eth0]\n"
    "trusted_keys: [/k.pub]\n"
    "control: { socket: /s }\n"
    "state: /state\n";
const std::string kGood = "apiVersion: march/v1\nkind: Runtime\n" + kRest;

std::string Errors(const std::string& text) {
  const Source source("m.yaml", text);
  return TextOf(ParseConfig(source).diagnostics());
}

std::string FirstLine(const std::string& text) {
  const std::string errors = Errors(text);
  return errors.substr(0, errors.find('\n'));
}

TEST_CASE("a short configuration gets the defaults") {
  const Source source("m.yaml", kGood);
  const auto config = ParseConfig(source);
  REQUIRE(config.ok());
  CHECK(config->cluster == "default");
  REQUIRE(config->interfaces.size() == 1);
  CHECK(config->interfaces[0].name == "eth0");
  CHECK(config->interfaces[0].mode == bpf::XdpMode::kAuto);
  CHECK(config->trusted_keys == std::vector<std::string>{"/k.pub"});
  CHECK(config->control_socket == "/s");
  CHECK(config->max_bundle_bytes == 256U << 20);
  CHECK(config->metrics.empty());
  CHECK(config->state_directory == "/state");
  CHECK(config->bpffs_directory == "/sys/fs/bpf/march");
  CHECK_FALSE(config->drop_without_policy);
}

TEST_CASE("a full configuration is read") {
  const Source source("m.yaml",
                      "apiVersion: march/v1\nkind: Runtime\ncluster: \"dc 1\"\n"
                      "interfaces:\n  - { name: eth0.100, xdp: native }\n  - eth1\n"
                      "xdp: generic\ntrusted_keys: [/a, /b]\n"
                      "control: { socket: /run/c.sock, max_bundle_bytes: 1000 }\n"
                      "metrics: \"[::1]:9477\"\nstate: /state/\nbpffs: /bpf\n"
                      "without_policy: drop\n");
  const auto config = ParseConfig(source);
  REQUIRE(config.ok());
  CHECK(config->cluster == "dc 1");
  CHECK(config->interfaces[0].name == "eth0.100");
  CHECK(config->interfaces[0].mode == bpf::XdpMode::kNative);
  CHECK(config->interfaces[1].mode == bpf::XdpMode::kGeneric);
  CHECK(config->max_bundle_bytes == 1000);
  CHECK(config->metrics == "[::1]:9477");
  CHECK(config->state_directory == "/state");
  CHECK(config->drop_without_policy);
}

TEST_CASE("connections are kept unless it is said otherwise") {
  const Source plain("m.yaml", kGood);
  const march_flow_config flows = ParseConfig(plain)->gateway.flows;
  CHECK(flows.established * MARCH_FLOW_LANES == 262144);
  CHECK(flows.fresh * MARCH_FLOW_LANES == 65536);
  CHECK(flows.timeouts[MARCH_TIMEOUT_TCP_ESTABLISHED] == MARCH_TICKS(7440U));

  const Source full("m.yaml", kGood +
                                  "connections:\n  established: 20\n  new: 8\n"
                                  "  timeouts: { udp: 2m, tcp_established: 1d }\n");
  const march_flow_config other = ParseConfig(full)->gateway.flows;
  CHECK(other.established == 3);
  CHECK(other.fresh == 1);
  CHECK(other.timeouts[MARCH_TIMEOUT_UDP] == MARCH_TICKS(120U));
  CHECK(other.timeouts[MARCH_TIMEOUT_TCP_ESTABLISHED] == MARCH_TICKS(86400U));
  CHECK(other.timeouts[MARCH_TIMEOUT_UDP_NEW] == flows.timeouts[MARCH_TIMEOUT_UDP_NEW]);

  const Source none("m.yaml", kGood + "connections: { established: 0 }\n");
  CHECK(ParseConfig(none)->gateway.flows.established == 0);
  CHECK(ParseConfig(none)->gateway.flows.fresh == 0);
}

TEST_CASE("drops are told of unless it is said otherwise") {
  const Source plain("m.yaml", kGood);
  const auto config = ParseConfig(plain);
  CHECK(config->events.AreOn());
  CHECK(config->events.keep == 10'000);
  CHECK(config->gateway.events.intervals[MARCH_EVENT_DROP] == 1'000'000);
  CHECK(config->gateway.events.intervals[MARCH_EVENT_ALLOW] == 0);

  const Source full("m.yaml", kGood + "events: { drops: 1, allows: 3, keep: 5 }\n");
  const auto other = ParseConfig(full);
  CHECK(other->events.keep == 5);
  CHECK(other->gateway.events.intervals[MARCH_EVENT_DROP] == MARCH_EVENT_BURST);
  CHECK(other->gateway.events.intervals[MARCH_EVENT_ALLOW] == 333'333'333);

  const Source none("m.yaml", kGood + "events: { drops: 0 }\n");
  CHECK_FALSE(ParseConfig(none)->events.AreOn());
  CHECK(ParseConfig(none)->gateway.events.intervals[MARCH_EVENT_DROP] == 0);
}

TEST_CASE("slips about events are pointed at") {
  CHECK(Errors(kGood + "events: { drop: 1, allows: 100001, keep: 0 }\n") ==
        "m.yaml:7:11: error[M0703]: unknown key \"drop\"\n"
        " 7 | events: { drop: 1, allows: 100001, keep: 0 }\n"
        "   |           ^~~~\n"
        "  hint: did you mean \"drops\"?\n"
        "m.yaml:7:28: error[M0703]: allows must be a number from 0 to 100000\n"
        " 7 | events: { drop: 1, allows: 100001, keep: 0 }\n"
        "   |                            ^~~~~~\n"
        "m.yaml:7:42: error[M0703]: keep must be a number from 1 to 1000000\n"
        " 7 | events: { drop: 1, allows: 100001, keep: 0 }\n"
        "   |                                          ^\n");
}

TEST_CASE("limits have room for 65536 buckets unless it is said otherwise") {
  const Source plain("m.yaml", kGood);
  CHECK(ParseConfig(plain)->gateway.limits.lines * MARCH_LIMIT_LANES == 65536);
  const Source other("m.yaml", kGood + "limits: { entries: 5 }\n");
  CHECK(ParseConfig(other)->gateway.limits.lines == 2);
  CHECK(Errors(kGood + "limits: { entries: 0 }\n") ==
        "m.yaml:7:20: error[M0703]: entries must be a number from 1 to 16777216\n"
        " 7 | limits: { entries: 0 }\n"
        "   |                    ^\n");
}

TEST_CASE("slips about connections are pointed at") {
  CHECK(
      Errors(kGood + "connections:\n  established: many\n  new: 0\n  timeout: {}\n"
                     "  timeouts: { udp: 90, icmp: 11d }\n") ==
      "m.yaml:10:3: error[M0703]: unknown key \"timeout\"\n"
      " 10 |   timeout: {}\n"
      "    |   ^~~~~~~\n"
      "  hint: did you mean \"timeouts\"?\n"
      "m.yaml:8:16: error[M0703]: established must be a number from 0 to 16777216\n"
      " 8 |   established: many\n"
      "   |                ^~~~\n"
      "m.yaml:9:8: error[M0703]: new must be a number from 1 to 16777216\n"
      " 9 |   new: 0\n"
      "   |        ^\n"
      "m.yaml:11:20: error[M0703]: udp must be a duration from 1s to 10d, such as 90s, 5m, 2h or "
      "1d\n"
      " 11 |   timeouts: { udp: 90, icmp: 11d }\n"
      "    |                    ^~\n"
      "m.yaml:11:30: error[M0703]: icmp must be a duration from 1s to 10d, such as 90s, 5m, 2h or "
      "1d\n"
      " 11 |   timeouts: { udp: 90, icmp: 11d }\n"
      "    |                              ^~~\n");
}

TEST_CASE("nothing is done against abuse unless it is said") {
  const Source plain("m.yaml", kGood);
  const march_abuse_config none = ParseConfig(plain)->gateway.abuse;
  CHECK(none.screens == 0);
  CHECK(none.blocks == 0);
  for (const march_limit& rate : none.rates) CHECK(rate.rate == 0);

  const Source full("m.yaml", kGood +
                                  "abuse:\n  land: true\n  tcp_flags: true\n  martians: false\n"
                                  "  spoofed: true\n  block_list: 100000\n"
                                  "  syn_per_source: { rate: 100, burst: 200, prefix_v4: 24 }\n"
                                  "  flows_per_source: { rate: 7 }\n"
                                  "  icmp_per_source: { rate: 10, prefix_v6: 48 }\n");
  const march_abuse_config abuse = ParseConfig(full)->gateway.abuse;
  CHECK(abuse.screens == (MARCH_SCREEN_LAND | MARCH_SCREEN_FLAGS | MARCH_SCREEN_SPOOFED));
  CHECK(abuse.blocks == 131072);
  const march_limit& syn = abuse.rates[MARCH_RATE_SYN];
  CHECK(syn.rate == 100);
  CHECK(syn.burst == 200);
  CHECK(syn.prefix_v4 == 24);
  CHECK(syn.prefix_v6 == 64);
  CHECK(syn.per == MARCH_LIMIT_PER_SOURCE);
  CHECK(syn.room == 200ULL << syn.shift);
  const march_limit& flows = abuse.rates[MARCH_RATE_FLOWS];
  CHECK(flows.rate == 7);
  CHECK(flows.burst == 7);
  CHECK(flows.prefix_v4 == 32);
  CHECK(flows.identity != syn.identity);
  CHECK(abuse.rates[MARCH_RATE_ICMP].prefix_v6 == 48);

  CHECK(abuse.cookies.lines == 0);

  const Source cookies("m.yaml", kGood + "abuse: { syn_cookies: { above: 500 } }\n");
  const march_cookie_config some = ParseConfig(cookies)->gateway.abuse.cookies;
  CHECK(some.lines == 8192);
  CHECK(some.remember == MARCH_TICKS(600U));
  CHECK(some.unproven.rate == 500);
  CHECK(some.unproven.per == MARCH_LIMIT_PER_MAPPING);
  const Source always("m.yaml", kGood +
                                    "abuse:\n"
                                    "  syn_cookies: { above: 0, remember: 1h, sources: 9 }\n");
  const march_cookie_config all = ParseConfig(always)->gateway.abuse.cookies;
  CHECK(all.lines == 2);
  CHECK(all.remember == MARCH_TICKS(3600U));
  CHECK(all.unproven.rate == 0);

  const Source few("m.yaml", kGood + "abuse: { block_list: 1 }\n");
  CHECK(ParseConfig(few)->gateway.abuse.blocks == 1024);
}

TEST_CASE("slips about abuse are pointed at") {
  CHECK(Errors(kGood + "connections: { established: 0 }\n"
                       "abuse:\n  martian: true\n  land: yes\n  block_list: 1048577\n"
                       "  syn_per_source: { burst: 5 }\n"
                       "  flows_per_source: { rate: 5 }\n"
                       "  icmp_per_source: { rate: 0, prefix_v4: 33, per: source }\n") ==
        "m.yaml:10:9: error[M0703]: this must be true or false\n"
        " 10 |   land: yes\n"
        "    |         ^~~\n"
        "m.yaml:12:19: error[M0703]: \"rate\" is missing\n"
        " 12 |   syn_per_source: { burst: 5 }\n"
        "    |                   ^\n"
        "m.yaml:13:21: error[M0703]: this needs connections, and none are kept\n"
        " 13 |   flows_per_source: { rate: 5 }\n"
        "    |                     ^\n"
        "  hint: `connections: { established: N }` keeps some\n"
        "m.yaml:14:46: error[M0703]: unknown key \"per\"\n"
        " 14 |   icmp_per_source: { rate: 0, prefix_v4: 33, per: source }\n"
        "    |                                              ^~~\n"
        "m.yaml:14:28: error[M0703]: rate must be a number from 1 to 16000000000\n"
        " 14 |   icmp_per_source: { rate: 0, prefix_v4: 33, per: source }\n"
        "    |                            ^\n"
        "m.yaml:14:42: error[M0703]: prefix_v4 must be a number from 1 to 32\n"
        " 14 |   icmp_per_source: { rate: 0, prefix_v4: 33, per: source }\n"
        "    |                                          ^~\n"
        "m.yaml:11:15: error[M0703]: block_list must be a number from 0 to 1048576\n"
        " 11 |   block_list: 1048577\n"
        "    |               ^~~~~~~\n"
        "m.yaml:9:3: error[M0703]: unknown key \"martian\"\n"
        " 9 |   martian: true\n"
        "   |   ^~~~~~~\n"
        "  hint: did you mean \"martians\"?\n");
}

TEST_CASE("who forwards is said for all interfaces, and for one") {
  const Source plain("m.yaml", kGood);
  CHECK(ParseConfig(plain)->gateway.forward.fast == 0);
  CHECK_FALSE(ParseConfig(plain)->interfaces[0].fast);

  const std::string head =
      "apiVersion: march/v1\nkind: Runtime\ntrusted_keys: [/k]\nstate: /s\n"
      "control: { socket: /s }\ninterfaces: [a, { name: b, forward: kernel }, { name: c, forward: "
      "fast }]\n";
  const Source fast("m.yaml", head + "forward: fast\n");
  const auto config = ParseConfig(fast);
  REQUIRE(config.ok());
  CHECK(config->gateway.forward.fast == 1);
  CHECK(config->interfaces[0].fast);
  CHECK_FALSE(config->interfaces[1].fast);
  CHECK(config->interfaces[2].fast);

  const Source one("m.yaml", head);
  CHECK(ParseConfig(one)->gateway.forward.fast == 1);
  CHECK_FALSE(ParseConfig(one)->interfaces[0].fast);
  CHECK(FirstLine(kGood + "forward: quick\n") ==
        "m.yaml:7:10: error[M0703]: this must be kernel or fast");
}

TEST_CASE("rejected packets are answered unless it is said otherwise") {
  const Source plain("m.yaml", kGood);
  const march_reject_config reject = ParseConfig(plain)->gateway.reject;
  CHECK(reject.interval == 1'000'000);
  CHECK(reject.burst == 100'000'000);
  CHECK(reject.all_denied == 0);

  const Source more("m.yaml", kGood + "reject: { answer: denied, per_second: 1000000 }\n");
  CHECK(ParseConfig(more)->gateway.reject.interval == 1000);
  CHECK(ParseConfig(more)->gateway.reject.all_denied == 1);

  const Source none("m.yaml", kGood + "reject: { answer: denied, per_second: 0 }\n");
  CHECK(ParseConfig(none)->gateway.reject.interval == 0);
  CHECK(ParseConfig(none)->gateway.reject.all_denied == 0);

  CHECK(FirstLine(kGood + "reject: { answer: all }\n") ==
        "m.yaml:7:19: error[M0703]: this must be rejected or denied");
  CHECK(FirstLine(kGood + "reject: { per_second: 1000001 }\n") ==
        "m.yaml:7:23: error[M0703]: per_second must be a number from 0 to 1000000");
  CHECK(FirstLine(kGood + "reject: [denied]\n") ==
        "m.yaml:7:9: error[M0703]: reject must be a map");
}

TEST_CASE("slips are pointed at, all of them") {
  CHECK(Errors(kGood + "metrisc: 127.0.0.1:1\nwithout_policy: drpo\n") ==
        "m.yaml:7:1: error[M0703]: unknown key \"metrisc\"\n"
        " 7 | metrisc: 127.0.0.1:1\n"
        "   | ^~~~~~~\n"
        "  hint: did you mean \"metrics\"?\n"
        "m.yaml:8:17: error[M0703]: this must be pass or drop\n"
        " 8 | without_policy: drpo\n"
        "   |                 ^~~~\n"
        "  hint: did you mean \"drop\"?\n");
}

TEST_CASE("a key given twice is an error that shows both") {
  CHECK(Errors(kGood + "state: /other\n") ==
        "m.yaml:7:1: error[M0703]: \"state\" is given twice\n"
        " 7 | state: /other\n"
        "   | ^~~~~\n"
        "m.yaml:6:1: note: first here\n"
        " 6 | state: /state\n"
        "   | -----\n");
}

TEST_CASE("what is missing or of another kind") {
  CHECK(FirstLine("") == "m.yaml:1:1: error[M0703]: the file is empty");
  CHECK(FirstLine("- a\n") == "m.yaml:1:1: error[M0703]: the configuration must be a map");
  CHECK(FirstLine("kind: Runtime\n" + kRest) ==
        "m.yaml:1:1: error[M0703]: apiVersion must be march/v1");
  CHECK(FirstLine("apiVersion: march/v1\nkind: Policy\n") ==
        "m.yaml:2:7: error[M0703]: kind must be Runtime");
  CHECK(FirstLine("apiVersion: march/v1\nkind: Runtime\ninterfaces: [a]\ntrusted_keys: [/k]\n"
                  "state: /s\n") == "m.yaml:1:1: error[M0703]: \"control\" is missing");
}

TEST_CASE("values that cannot be") {
  CHECK(FirstLine(kGood + "metrics: 9477\n") == "m.yaml:7:10: error[M0703]: \"9477\" has no port");
  CHECK(FirstLine(kGood + "metrics: localhost:9477\n") ==
        "m.yaml:7:10: error[M0703]: \"localhost:9477\" does not start with an IP address");
  CHECK(FirstLine(kGood + "metrics: 127.0.0.1:0\n") ==
        "m.yaml:7:10: error[M0703]: \"127.0.0.1:0\" has no valid port");
  CHECK(FirstLine(kGood + "bpffs: relative\n") ==
        "m.yaml:7:8: error[M0703]: bpffs must be an absolute path");
  CHECK(FirstLine(kGood + "xdp: [native]\n") ==
        "m.yaml:7:6: error[M0703]: this must be auto, native or generic");
  CHECK(FirstLine(kGood + "cluster: \"a\\0b\"\n") ==
        "m.yaml:7:10: error[M0703]: cluster has a zero byte in it");
  const std::string head =
      "apiVersion: march/v1\nkind: Runtime\ntrusted_keys: [/k]\nstate: /s\n"
      "control: { socket: /s }\n";
  CHECK(FirstLine(head + "interfaces: []\n") ==
        "m.yaml:6:13: error[M0703]: interfaces must be a list of at least one interface");
  CHECK(FirstLine(head + "interfaces: [a, a]\n") ==
        "m.yaml:6:17: error[M0703]: interface a is listed twice");
  CHECK(FirstLine(head + "interfaces: [../a]\n") ==
        "m.yaml:6:14: error[M0703]: this is not the name of an interface");
  CHECK(FirstLine(head + "interfaces: [{ nam: a }]\n") ==
        "m.yaml:6:16: error[M0703]: unknown key \"nam\"");
}

TEST_CASE("YAML that a configuration has no need of") {
  CHECK(FirstLine("a: &x 1\nb: *x\n") ==
        "m.yaml:1:4: error[M0703]: anchors, aliases and tags have no place here");
  CHECK(FirstLine("a: *x\n") ==
        "m.yaml:1:4: error[M0703]: anchors, aliases and tags have no place here");
  CHECK(FirstLine("a: !!int 1\n") ==
        "m.yaml:1:4: error[M0703]: anchors, aliases and tags have no place here");
  CHECK(FirstLine("[a]: 1\n") == "m.yaml:1:1: error[M0703]: a key is a plain word");
  CHECK(FirstLine(kGood + "---\na: 1\n") == "m.yaml:7:1: error[M0703]: there is a second document");
  CHECK(FirstLine("a: " + std::string(40, '[')) == "m.yaml:1:19: error[M0703]: nested too deeply");
  CHECK(FirstLine("a: 'b\n").starts_with("m.yaml:2:1: error[M0703]: "));
  CHECK(FirstLine(std::string((1 << 20) + 1, ' ')) ==
        "m.yaml:1:1: error[M0703]: the file is larger than 1 MiB");
}

TEST_CASE("columns are bytes, after any character") {
  CHECK(FirstLine(kGood + "{ \xC3\xA9: 1, xdp: wrong }\n").starts_with("m.yaml:"));
  CHECK(FirstLine("apiVersion: march/v1\nkind: Runtime\n" + kRest + "\"\xC3\xA9\": x\n") ==
        "m.yaml:7:1: error[M0703]: unknown key \"\xC3\xA9\"");
}

}  // namespace
}  // namespace march::daemon
