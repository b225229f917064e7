// What is said of flows that no mapping lets pass.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "compiler/explain/explainer.h"
#include "tests/random/compiled.h"

namespace march::explain {
namespace {

const std::string kPolicy = R"(apiVersion: march/v1
kind: Policy
services:
  backoffice: { addresses: [10.20.0.0/14, "2001:db8:20::/44"] }
  payments: { addresses: [10.20.0.0/16, "2001:db8:20::/48"] }
  office: { addresses: [10.50.0.0/16] }
  relays: { addresses: [10.60.0.1, 10.60.0.2] }
  partners: { addresses: [198.51.100.0/24], except: [198.51.100.66] }
  twins: { addresses: [198.51.100.0/24], except: [198.51.100.67] }
mappings:
  web-out: { from: [payments], protocols: [tcp], ports: [443, 80, 8000-8100, 9000, 9100, 9200] }
  mail-out: { from: [relays], protocols: [tcp], ports: [25] }
  dns: { from: [backoffice], to: [partners], protocols: [udp], ports: [53], source_ports: [1024-65535] }
  ping: { from: [office], protocols: [icmp], icmp_types: [echo-request, timestamp-request] }
  watch: { from: [payments], audit: true, priority: 9 }
  never: { from: [payments], protocols: [tcp], ports: [26], action: deny }
)";

space::Flow FlowOf(const std::string& text) {
  const Source source("flow", text);
  const auto flow = space::ParseFlow(source);
  INFO(text);
  REQUIRE(flow.ok());
  return *flow;
}

// "NAME allows ...", in order.
std::vector<std::string> Nearest(const Explainer& explainer, const model::Policy& policy,
                                 const std::string& flow, std::size_t most = 3) {
  std::vector<std::string> texts;
  for (const NearMiss& miss : explainer.Nearest(FlowOf(flow), most)) {
    texts.push_back(policy.mappings[miss.mapping].name + " " + explainer.Describe(miss));
  }
  return texts;
}
using Texts = std::vector<std::string>;

TEST_CASE("the nearest mappings differ in the fewest respects, and say in which") {
  const tests::Compiled compiled(kPolicy);
  const Explainer explainer(compiled.policy);
  const auto nearest = [&](const std::string& flow) {
    return Nearest(explainer, compiled.policy, flow);
  };
  CHECK(nearest("tcp 10.20.1.1:40000 > 203.0.113.9:25") ==
        Texts{"web-out allows tcp/80,443,8000-8100,9000 and 2 more to it",
              "mail-out allows it from relays"});
  CHECK(nearest("udp 10.20.1.1:53 > 198.51.100.1:53") ==
        Texts{"dns allows it with source port 1024-65535",
              "web-out allows tcp/80,443,8000-8100,9000 and 2 more to it"});
  CHECK(nearest("udp 10.20.1.1:40000 > 198.51.100.66:53") ==
        Texts{"web-out allows tcp/80,443,8000-8100,9000 and 2 more to it",
              "dns allows it to partners"});
  CHECK(nearest("icmp 10.50.0.1 > 10.0.0.1 type 3") ==
        Texts{"ping allows icmp/echo-request,timestamp-request to it"});
  // Two respects, if there is nothing nearer.
  CHECK(nearest("udp 192.0.2.1:40000 > 198.51.100.1:54") ==
        Texts{"dns allows udp/53 from backoffice", "mail-out allows tcp/25 from relays",
              "ping allows icmp/echo-request,timestamp-request from office"});
  // Of more respects than two, nothing is said.
  CHECK(nearest("udp 192.0.2.1:40000 > 192.0.2.2:54").size() == 3);
  const tests::Compiled narrow(R"(apiVersion: march/v1
kind: Policy
services: { a: { addresses: [10.0.0.1] }, b: { addresses: [10.0.0.2] } }
mappings: { one: { from: [a], to: [b], protocols: [tcp], ports: [80] } }
)");
  CHECK(Nearest(Explainer(narrow.policy), narrow.policy, "udp 10.0.0.3:1 > 10.0.0.4:80").empty());
  CHECK(Nearest(Explainer(narrow.policy), narrow.policy, "tcp 10.0.0.3:1 > 10.0.0.4:80") ==
        Texts{"one allows it from a to b"});
  CHECK(Nearest(explainer, compiled.policy, "tcp 10.20.1.1:40000 > 203.0.113.9:25", 1).size() == 1);
}

TEST_CASE("a later fragment is compared by what it has") {
  const tests::Compiled compiled(kPolicy);
  CHECK(
      Nearest(Explainer(compiled.policy), compiled.policy, "udp 10.20.1.1 > 198.51.100.66 fragment")
          .back() == "dns allows it to partners");
}

TEST_CASE("ends are called by the smallest service that holds them") {
  const tests::Compiled compiled(kPolicy);
  const Explainer explainer(compiled.policy);
  const auto text = [&](const std::string& flow) { return explainer.NoMapping(FlowOf(flow)); };
  CHECK(text("tcp 10.20.1.1:40000 > 203.0.113.9:25") ==
        "no mapping from payments to 203.0.113.9 tcp/25");
  CHECK(text("tcp 10.21.1.1:40000 > 10.60.0.2:25") ==
        "no mapping from backoffice to relays tcp/25");
  CHECK(text("icmp 10.21.1.1 > 198.51.100.1 type 3/4") ==
        "no mapping from backoffice to partners icmp/destination-unreachable/4");
  CHECK(text("icmpv6 2001:db8:20::1 > 2001:db8::1") ==
        "no mapping from payments to 2001:db8::1 icmpv6/echo-request");
  CHECK(text("udp 10.21.1.1 > 198.51.100.66 fragment") ==
        "no mapping from backoffice to twins udp fragments");
  CHECK(text("47 10.21.1.1 > 192.0.2.1") == "no mapping from backoffice to 192.0.2.1 protocol 47");
}

TEST_CASE("an answer is known by the mapping that lets the question pass") {
  const tests::Compiled compiled(kPolicy);
  const Explainer explainer(compiled.policy);
  const auto opposite = [&](const std::string& flow) {
    const auto mapping = explainer.OppositeOf(FlowOf(flow));
    return mapping ? compiled.policy.mappings[*mapping].name : "";
  };
  CHECK(opposite("tcp 203.0.113.9:443 > 10.20.1.1:40000") == "web-out");
  CHECK(opposite("tcp 203.0.113.9:26 > 10.20.1.1:40000").empty());
  CHECK(opposite("tcp 203.0.113.9:444 > 10.20.1.1:40000").empty());
  CHECK(opposite("icmp 10.0.0.1 > 10.50.0.1 type 0") == "ping");
  CHECK(opposite("icmp 10.0.0.1 > 10.50.0.1 type 8").empty());
}

TEST_CASE("what is remembered of addresses is bounded and stays right") {
  const tests::Compiled compiled(kPolicy);
  const Explainer explainer(compiled.policy);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 6000; ++i) {
      const std::string address =
          "10.20." + std::to_string(i / 250) + "." + std::to_string(i % 250);
      REQUIRE(explainer.NameOf(*space::Address::Parse(address)) == "payments");
    }
    CHECK(explainer.NameOf(*space::Address::Parse("10.60.0.2")) == "relays");
    CHECK(explainer.NameOf(*space::Address::Parse("10.60.0.3")) == "10.60.0.3");
  }
}

}  // namespace
}  // namespace march::explain
