// The API's answers about connections, from a table in ordinary memory.
#include "runtime/control/flow_routes.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <vector>

#include "bundle/abi/verdict.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/native_flow.h"

namespace march::control {
namespace {

constexpr std::uint32_t kWeb = MARCH_SLOT_FIRST_MAPPING;
constexpr std::uint32_t kDns = MARCH_SLOT_FIRST_MAPPING + 1;
constexpr std::uint32_t kGone = MARCH_SLOT_FIRST_MAPPING + 9;

class Connections {
 public:
  Connections()
      : config_(Config()),
        buckets_(config_.flows.established + config_.flows.fresh),
        records_(buckets_.size() * MARCH_FLOW_LANES),
        keeper_(
            flows::FlowTable(buckets_.data(), records_.data(), config_),
            [] { return std::vector<std::uint64_t>(MARCH_STATISTICS, 3); }, log_) {
    mappings_.mappings.resize(2);
    mappings_.mappings[0].name = "web";
    mappings_.mappings[1].name = "dns";
  }

  void Add(march_flow flow) {
    flow.begun = now_ - 400;
    flow.ifindex = 1;
    const march_native_flows table = {&config_, buckets_.data(), records_.data()};
    REQUIRE(march_native_insert_flow(&table, &flow, now_ + 1000, now_) != MARCH_NATIVE_NO_FLOW);
  }

  nlohmann::json Ask(const std::string& target, int status = 200) {
    const Response response = AnswerAboutFlows(target, keeper_, [this](std::uint64_t generation) {
      return generation == 3 ? &mappings_ : nullptr;
    });
    INFO(response.body);
    CHECK(response.status == status);
    return nlohmann::json::parse(response.body);
  }

 private:
  static march_config Config() {
    march_config config{};
    config.flows.established = 32;
    config.flows.fresh = 16;
    for (std::uint32_t& timeout : config.flows.timeouts) timeout = 1200;
    return config;
  }

  flows::Tick now_ = flows::CurrentTick();
  march_config config_;
  std::vector<march_flow_bucket> buckets_;
  std::vector<march_flow> records_;
  telemetry::Logger log_{[](const std::string&) {}};
  bundle::MappingTable mappings_;
  flows::FlowKeeper keeper_;
};

march_flow WebFlow(std::uint32_t host, std::uint64_t bytes) {
  march_flow flow{};
  flow.src_lo = 0x0A010000 + host;
  flow.dst_lo = 0x0A02000A;
  flow.l4 = MARCH_FLOW_L4(40000, 80, 6U, MARCH_KIND_PORTS, 4U);
  flow.judged =
      MARCH_FLOW_JUDGED(3, kWeb, MARCH_FLOW_SYN | MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED);
  flows::SetCounts(flow, MARCH_FLOW_FORWARD, {10 - host, bytes});
  flows::SetCounts(flow, MARCH_FLOW_REPLY, {1, 60});
  return flow;
}

march_flow DnsFlow() {
  march_flow flow{};
  flow.src_hi = 0x20010DB800010000;
  flow.src_lo = 5;
  flow.dst_hi = 0x20010DB800020000;
  flow.dst_lo = 0x10;
  flow.l4 = MARCH_FLOW_L4(5353, 53, 17U, MARCH_KIND_PORTS, 6U);
  flow.judged = MARCH_FLOW_JUDGED(2, kDns, 0);
  flows::SetCounts(flow, MARCH_FLOW_FORWARD, {1, 90});
  return flow;
}

march_flow Ping() {
  march_flow flow{};
  flow.src_lo = 0x0A010005;
  flow.dst_lo = 0x0A02000A;
  flow.l4 = MARCH_FLOW_L4(77, 77, 1U, MARCH_KIND_ICMP(8U), 4U);
  flow.judged = MARCH_FLOW_JUDGED(3, MARCH_SLOT_DEFAULT, MARCH_FLOW_ANSWERED);
  flows::SetCounts(flow, MARCH_FLOW_FORWARD, {4, 0});
  return flow;
}

std::vector<std::string> Sources(const nlohmann::json& json) {
  std::vector<std::string> sources;
  for (const auto& flow : json["flows"]) sources.push_back(flow["source"]);
  return sources;
}

TEST_CASE("a flow is told with its ends, its state and who decided") {
  Connections connections;
  connections.Add(WebFlow(5, 1000));
  const auto json = connections.Ask("/v1/flows");
  CHECK(json["format_version"] == 1);
  CHECK(json["matched"] == 1);
  auto flow = json["flows"][0];
  CHECK(flow["age_s"].get<double>() > 107);
  CHECK(flow["age_s"].get<double>() < 115);
  CHECK(flow["idle_s"].get<double>() > 53);
  CHECK(flow["expires_s"].get<double>() > 250);
  for (const char* key : {"age_s", "idle_s", "expires_s"}) flow.erase(key);
  CHECK(flow == nlohmann::json({{"protocol", "tcp"},
                                {"family", 4},
                                {"source", "10.1.0.5"},
                                {"source_port", 40000},
                                {"destination", "10.2.0.10"},
                                {"destination_port", 80},
                                {"state", "established"},
                                {"decided_by", "mapping"},
                                {"mapping", "web"},
                                {"generation", 3},
                                {"interface", "lo"},
                                {"packets", 5},
                                {"bytes", 1000},
                                {"reply_packets", 1},
                                {"reply_bytes", 60}}));
}

TEST_CASE("flows of other kinds and of former generations") {
  Connections connections;
  connections.Add(DnsFlow());
  connections.Add(Ping());
  march_flow fragments = Ping();
  fragments.l4 = MARCH_FLOW_L4(0x2222U, 0x1111U, 17U, MARCH_KIND_FRAGMENTS, 4U);
  connections.Add(fragments);
  const auto dns = connections.Ask("/v1/flows?protocol=udp&source=2001:db8:1::%2F48")["flows"][0];
  CHECK(dns["source"] == "2001:db8:1::5");
  CHECK(dns["family"] == 6);
  CHECK(dns["decided_by"] == "unknown");
  CHECK(dns["generation"] == 2);
  CHECK_FALSE(dns.contains("mapping"));
  CHECK(dns["state"] == "new");
  const auto ping = connections.Ask("/v1/flows?protocol=icmp")["flows"][0];
  CHECK(ping["icmp_type"] == 8);
  CHECK(ping["icmp_identifier"] == 77);
  CHECK(ping["decided_by"] == "default");
  CHECK_FALSE(ping.contains("source_port"));
  CHECK(connections.Ask("/v1/flows?protocol=17&source=10.0.0.0/8")["flows"][0]["fragments_of"] ==
        0x11112222);
}

TEST_CASE("what is asked for is bounded, sorted and counted") {
  Connections connections;
  connections.Add(WebFlow(1, 100));
  connections.Add(WebFlow(2, 300));
  connections.Add(WebFlow(3, 200));
  for (std::uint32_t host = 10; host < 120; ++host) connections.Add(WebFlow(host, 50));
  CHECK(connections.Ask("/v1/flows")["matched"] == 113);
  CHECK(connections.Ask("/v1/flows")["flows"].size() == 100);
  const auto top = connections.Ask("/v1/flows?limit=3");
  CHECK(top["matched"] == 113);
  CHECK(Sources(top) == std::vector<std::string>{"10.1.0.2", "10.1.0.3", "10.1.0.1"});
  CHECK(Sources(connections.Ask("/v1/flows?limit=2&sort=packets&source=10.1.0.0/30")) ==
        std::vector<std::string>{"10.1.0.1", "10.1.0.2"});
  march_flow old = WebFlow(4, 1);
  connections.Add(old);
  CHECK(connections.Ask("/v1/flows?mapping=web&state=established&port=80&limit=10000")["flows"]
            .size() == 114);
  CHECK(connections.Ask("/v1/flows?mapping=dns")["matched"] == 0);
  CHECK(connections.Ask("/v1/flows?destination=10.2.0.11")["matched"] == 0);
}

TEST_CASE("a question that is not understood is answered with what is wrong") {
  Connections connections;
  for (const auto& [query, message] : std::map<std::string, std::string>{
           {"source=web", "source=web is no prefix, such as 10.0.0.0/8 or 2001:db8::1"},
           {"port=99999", "port=99999 is no port"},
           {"protocol=tpc", "protocol=tpc is none of tcp, udp, sctp, icmp, icmpv6 and 0 to 255"},
           {"state=open", "state=open is none of new, established, closing, closed, cut"},
           {"limit=0", "limit=0 is no number from 1 to 10000"},
           {"limit=10001", "limit=10001 is no number from 1 to 10000"},
           {"sort=size", "sort=size is none of bytes, packets, age"},
           {"mapping=", "mapping= is no name of a mapping"},
           {"sources=::1", "sources=::1 is not known here"},
           {"source", "\"source\" in the query is no NAME=VALUE"}}) {
    const auto json = connections.Ask("/v1/flows?" + query, 400);
    CHECK(json["error"]["message"] == message);
    CHECK(json["error"]["class"] == "request");
  }
}

TEST_CASE("a cut says what to cut, and how many there were") {
  Connections connections;
  connections.Add(WebFlow(1, 100));
  connections.Add(WebFlow(2, 300));
  connections.Add(DnsFlow());
  CHECK(connections.Ask("/v1/flows/cut", 400)["error"]["message"] ==
        "nothing says which connections to cut");
  CHECK(connections.Ask("/v1/flows/cut?limit=5&source=::/0", 400)["error"]["message"] ==
        "limit=5 is not known here");
  CHECK(connections.Ask("/v1/flows?state=cut")["matched"] == 0);
  CHECK(connections.Ask("/v1/flows/cut?source=10.1.0.2") ==
        nlohmann::json({{"format_version", 1}, {"cut", 1}}));
  CHECK(connections.Ask("/v1/flows/cut?source=10.1.0.2")["cut"] == 0);
  CHECK(Sources(connections.Ask("/v1/flows?state=cut")) == std::vector<std::string>{"10.1.0.2"});
  CHECK(connections.Ask("/v1/flows/cut?source=::/0")["cut"] == 1);
}

TEST_CASE("a summary counts by everything there is") {
  Connections connections;
  connections.Add(WebFlow(1, 100));
  connections.Add(WebFlow(2, 300));
  connections.Add(DnsFlow());
  connections.Add(Ping());
  march_flow unknown = WebFlow(3, 5);
  unknown.judged = MARCH_FLOW_JUDGED(3, kGone, 0);
  connections.Add(unknown);
  const auto json = connections.Ask("/v1/flows/summary");
  CHECK(json["flows"] == 5);
  CHECK(json["bytes"] == 100 + 300 + 90 + 5 + 3 * 60);
  CHECK(json["families"] ==
        nlohmann::json::parse(R"([{"family":4,"flows":4,"packets":31,"bytes":585},
                                  {"family":6,"flows":1,"packets":1,"bytes":90}])"));
  CHECK(json["protocols"].size() == 3);
  CHECK(json["protocols"][0]["protocol"] == "icmp");
  CHECK(json["states"][0] == nlohmann::json::parse(R"({"state":"new","flows":3,"packets":13,
                                                       "bytes":155})"));
  CHECK(json["mappings"] ==
        nlohmann::json::parse(R"([{"decided_by":"mapping","mapping":"web","flows":2,"packets":19,
                                   "bytes":520},
                                  {"decided_by":"default","flows":1,"packets":4,"bytes":0},
                                  {"decided_by":"unknown","flows":2,"packets":9,"bytes":155}])"));
  CHECK(json["flow_tables"] == nlohmann::json::parse(
                                   R"([{"name":"established","flows":2,"capacity":256,"full":false},
                {"name":"new","flows":3,"capacity":128,"full":false}])"));
  CHECK(json["statistics"]["flows_opened"] == 3);
  CHECK(connections.Ask("/v1/flows/summary?protocol=tcp&state=established")["flows"] == 2);
}

}  // namespace
}  // namespace march::control
