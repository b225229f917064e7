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

std::string FirstLine(const std::string& text) {
  const std::string errors = Errors(text);
  return errors.substr(0, errors.find('\n'));
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
