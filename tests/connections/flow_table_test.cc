// marchd's view of connections, against the program in the kernel that makes them.
#include "runtime/flows/flow_table.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/print.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/flow_text.h"
#include "tests/connections/gateway.h"

namespace march::tests {
namespace {

using flows::CurrentTick;
using flows::Ending;
using flows::Flow;
using flows::FlowRecord;
using flows::FlowTable;
using flows::StateOf;

const std::string kHead = R"(apiVersion: march/v1
kind: Policy
services:
  clients: { addresses: [10.1.0.0/16, "2001:db8:1::/48"] }
  servers: { addresses: [10.2.0.0/16, "2001:db8:2::/48"] }
mappings:
)";
const std::string kWeb =
    "  web: { from: [clients], to: [servers], protocols: [tcp], ports: [80] }\n";
const std::string kDns =
    "  dns: { from: [clients], to: [servers], protocols: [udp], ports: [53] }\n";
const std::string kPing = "  ping: { from: [servers], to: [clients], protocols: [icmp, icmpv6] }\n";

const std::string kThere = "tcp 10.1.0.5:40000 > 10.2.0.10:80";
const std::string kBack = "tcp 10.2.0.10:80 > 10.1.0.5:40000";
const std::string kThere6 = "tcp [2001:db8:1::5]:40000 > [2001:db8:2::10]:80";
const std::string kBack6 = "tcp [2001:db8:2::10]:80 > [2001:db8:1::5]:40000";
const std::string kAsk = "udp 10.1.0.5:5353 > 10.2.0.10:53";
const std::string kAnswer = "udp 10.2.0.10:53 > 10.1.0.5:5353";

FlowTable TableOf(Gateway& gateway) {
  bpf::StateMaps& state = gateway.state();
  auto table =
      FlowTable::Map(state.Find("march_flow_buckets"), state.Find("march_flows"), state.config());
  INFO((table.ok() ? "" : TextOf(table.diagnostics())));
  REQUIRE(table.ok());
  return std::move(table).value();
}

void ShakeHands(Gateway& gateway, const std::string& there, const std::string& back) {
  REQUIRE(gateway.Passes(Packet(there).Flags("S").Sequence(1000)));
  REQUIRE(gateway.Passes(Packet(back).Flags("SA").Sequence(5000).Acknowledge(1001)));
  REQUIRE(gateway.Passes(Packet(there).Flags("A").Sequence(1001).Acknowledge(5001)));
}

std::vector<Flow> Flows(const FlowTable& table) {
  std::vector<Flow> flows;
  table.Walk(CurrentTick(), [&](const Flow& flow) { flows.push_back(flow); });
  return flows;
}

std::vector<FlowRecord> SweepUntil(FlowTable& table, std::size_t records) {
  std::vector<FlowRecord> swept;
  for (int i = 0; i < 50 && swept.size() < records; ++i) {
    table.Sweep(CurrentTick(), 1000, [&](const FlowRecord& record) { swept.push_back(record); });
    usleep(100'000);
  }
  return swept;
}

TEST_CASE("the table tells of a flow what the program saw") {
  for (const auto& [there, back] : {std::pair(kThere, kBack), std::pair(kThere6, kBack6)}) {
    INFO(there);
    Gateway gateway;
    gateway.Enforce(kHead + kDns + kWeb);
    const FlowTable table = TableOf(gateway);
    ShakeHands(gateway, there, back);
    const Packet data = Packet(there).Flags("PA");
    REQUIRE(gateway.Passes(data));
    const std::vector<Flow> flows = Flows(table);
    REQUIRE(flows.size() == 1);
    const march_flow& flow = flows[0].record;
    CHECK(StateOf(flow) == flows::State::kEstablished);
    const std::uint64_t frame = data.bytes().size();
    CHECK(flows::CountsOf(flow, MARCH_FLOW_FORWARD) == flows::Counts{3, 3 * frame});
    CHECK(flows::CountsOf(flow, MARCH_FLOW_REPLY) == flows::Counts{1, frame});
    CHECK(MARCH_FLOW_SOURCE_PORT(flow.l4) == 40000);
    CHECK(MARCH_FLOW_DESTINATION_PORT(flow.l4) == 80);
    CHECK(MARCH_FLOW_GENERATION(flow.judged) == 1);
    CHECK(MARCH_FLOW_SLOT(flow.judged) >= MARCH_SLOT_FIRST_MAPPING);
    CHECK(flows::AddressText(MARCH_FLOW_FAMILY(flow.l4), flow.src_hi, flow.src_lo) ==
          (there == kThere ? "10.1.0.5" : "2001:db8:1::5"));
    CHECK(flows::Since(flow.begun, CurrentTick()) < std::chrono::seconds(10));
    CHECK(table.Count(CurrentTick()).established == 1);
    // What is judged again, since the policy is another, counts too.
    gateway.Enforce(kHead + kWeb);
    REQUIRE(gateway.Passes(data));
    REQUIRE(Flows(table).size() == 1);
    CHECK(flows::CountsOf(Flows(table)[0].record, MARCH_FLOW_FORWARD) ==
          flows::Counts{4, 4 * frame});
    CHECK(MARCH_FLOW_GENERATION(Flows(table)[0].record.judged) == 2);
  }
}

TEST_CASE("counts go on beyond what their low parts hold") {
  Gateway gateway;
  gateway.Enforce(kHead + kWeb);
  const FlowTable table = TableOf(gateway);
  ShakeHands(gateway, kThere, kBack);
  REQUIRE(Flows(table).size() == 1);
  const std::uint32_t number = Flows(table)[0].number;
  const int records = gateway.state().Find("march_flows");
  march_flow flow{};
  REQUIRE(bpf_map_lookup_elem(records, &number, &flow) == 0);
  const flows::Counts many{0xFFFF'FFFF, 0xFFFF'FFFF'FFFF};
  const flows::Counts more{0xFFFF, 0xFFFF'FFFE};
  flows::SetCounts(flow, MARCH_FLOW_FORWARD, many);
  flows::SetCounts(flow, MARCH_FLOW_REPLY, more);
  REQUIRE(bpf_map_update_elem(records, &number, &flow, BPF_ANY) == 0);
  const Packet there = Packet(kThere).Flags("A");
  const Packet back = Packet(kBack).Flags("A");
  for (std::uint64_t i = 1; i <= 3; ++i) {
    REQUIRE(gateway.Passes(there));
    REQUIRE(gateway.Passes(back));
    const march_flow now = Flows(table)[0].record;
    CHECK(flows::CountsOf(now, MARCH_FLOW_FORWARD) ==
          many + flows::Counts{i, i * there.bytes().size()});
    CHECK(flows::CountsOf(now, MARCH_FLOW_REPLY) ==
          more + flows::Counts{i, i * back.bytes().size()});
  }
}

TEST_CASE("a connection that was cut passes nothing until it is opened anew") {
  for (const auto& [there, back] : {std::pair(kThere, kBack), std::pair(kThere6, kBack6)}) {
    INFO(there);
    Gateway gateway;
    gateway.Enforce(kHead + kWeb);
    FlowTable table = TableOf(gateway);
    ShakeHands(gateway, there, back);
    CHECK(table.CutAll(CurrentTick(), [](const march_flow&) { return true; }) == 1);
    CHECK_FALSE(gateway.Passes(Packet(back).Flags("PA")));
    CHECK_FALSE(gateway.Passes(Packet(there).Flags("PA")));
    CHECK_FALSE(gateway.Passes(Packet(there).Flags("FA")));
    CHECK(gateway.Counted("cut") == 3);
    // Another policy does not heal it.
    gateway.Enforce(kHead + kWeb + kDns);
    CHECK_FALSE(gateway.Passes(Packet(there).Flags("PA")));
    ShakeHands(gateway, there, back);
    CHECK(gateway.Passes(Packet(back).Flags("PA")));
    const auto records = SweepUntil(table, 1);
    REQUIRE(records.size() == 1);
    CHECK(records[0].ending == Ending::kCut);
    CHECK(flows::CountsOf(records[0].flow, MARCH_FLOW_FORWARD).packets == 2);
    CHECK(table.Count(CurrentTick()).established == 1);
  }
}

TEST_CASE("a cut of what is not TCP lasts as long as the flow would have been remembered") {
  Gateway gateway;
  gateway.Enforce(kHead + kDns);
  march_config config = gateway.state().config();
  config.flows.timeouts[MARCH_TIMEOUT_UDP_NEW] = 4;
  FlowTable table = *FlowTable::Map(gateway.state().Find("march_flow_buckets"),
                                    gateway.state().Find("march_flows"), config);
  CHECK(gateway.Passes(Packet(kAsk)));
  CHECK(gateway.Passes(Packet(kAnswer)));
  CHECK(table.CutAll(CurrentTick(), [](const march_flow&) { return true; }) == 1);
  const flows::Tick cut = CurrentTick();
  CHECK_FALSE(gateway.Passes(Packet(kAsk)));
  CHECK_FALSE(gateway.Passes(Packet(kAnswer)));
  while (CurrentTick() <= cut + 4) {
    const bool passes = gateway.Passes(Packet(kAsk));
    if (CurrentTick() <= cut + 4) CHECK_FALSE(passes);
    usleep(50'000);
  }
  usleep(300'000);
  CHECK_FALSE(gateway.Passes(Packet(kAnswer)));
  CHECK(gateway.Passes(Packet(kAsk)));
  CHECK(gateway.Passes(Packet(kAnswer)));
}

TEST_CASE("each flow that ends leaves one record that says how") {
  Gateway gateway;
  for (const march_timeout timeout : {MARCH_TIMEOUT_TCP_CLOSED, MARCH_TIMEOUT_UDP_NEW}) {
    gateway.SetTimeout(timeout, 1);
  }
  gateway.Enforce(kHead + kWeb + kDns);
  FlowTable table = TableOf(gateway);
  const auto there = [](int port) {
    return "tcp 10.1.0.5:" + std::to_string(port) + " > 10.2.0.10:80";
  };
  const auto back = [](int port) { return "tcp 10.2.0.10:80 > 10.1.0.5:" + std::to_string(port); };
  for (const int port : {1, 2, 3}) ShakeHands(gateway, there(port), back(port));
  CHECK(gateway.Passes(Packet(there(1)).Flags("FA")));
  CHECK(gateway.Passes(Packet(back(1)).Flags("FA")));
  CHECK(gateway.Passes(Packet(back(2)).Flags("R")));
  CHECK(gateway.Passes(Packet(kAsk)));
  std::vector<FlowRecord> records = SweepUntil(table, 3);
  gateway.Enforce(kHead + kDns);
  CHECK_FALSE(gateway.Passes(Packet(there(3)).Flags("PA")));
  for (const FlowRecord& record : SweepUntil(table, 1)) records.push_back(record);
  REQUIRE(records.size() == 4);
  std::vector<std::string> endings(5);
  for (const FlowRecord& record : records) {
    const std::uint64_t port = MARCH_FLOW_SOURCE_PORT(record.flow.l4);
    endings.at(port == 5353 ? 4 : port) = NameOf(record.ending);
    CHECK(record.ended + 1 >= record.flow.begun);
    CHECK(record.ended <= CurrentTick());
  }
  CHECK(endings == std::vector<std::string>{"", "finished", "reset", "forbidden", "timeout"});
  CHECK(SweepUntil(table, 1).empty());
  CHECK(Flows(table).empty());
}

TEST_CASE("a packet that ends a connection does so when it is the first under another policy") {
  for (const bool is_reset : {true, false}) {
    Gateway gateway;
    gateway.Enforce(kHead + kWeb);
    const FlowTable table = TableOf(gateway);
    ShakeHands(gateway, kThere, kBack);
    gateway.Enforce(kHead + kWeb + kDns);
    CHECK(gateway.Passes(Packet(kBack).Flags(is_reset ? "R" : "FA")));
    REQUIRE(Flows(table).size() == 1);
    CHECK(StateOf(Flows(table)[0].record) ==
          (is_reset ? flows::State::kClosed : flows::State::kClosing));
  }
}

TEST_CASE("an error of ICMP that the policy allows opens nothing that it quotes") {
  Gateway gateway;
  gateway.Enforce(kHead + kPing);
  const FlowTable table = TableOf(gateway);
  // A server forges an error about a connection that a client never opened.
  const std::string error = "icmp 10.2.0.10 > 10.1.0.5 type 3/4";
  CHECK(gateway.Passes(Packet(error).Quote(Packet("tcp 10.1.0.5:22 > 10.2.0.10:999"))));
  CHECK_FALSE(gateway.Passes(Packet("tcp 10.2.0.10:999 > 10.1.0.5:22").Flags("A")));
  CHECK_FALSE(gateway.Passes(Packet("tcp 10.2.0.10:999 > 10.1.0.5:22").Flags("S")));
  CHECK(gateway.Passes(Packet("icmpv6 2001:db8:2::10 > 2001:db8:1::5 type 2")
                           .Quote(Packet("udp [2001:db8:1::5]:53 > [2001:db8:2::10]:53"))));
  CHECK_FALSE(gateway.Passes(Packet("udp [2001:db8:2::10]:53 > [2001:db8:1::5]:53")));
  CHECK(gateway.Passes(Packet("icmp 10.2.0.10 > 10.1.0.5 type 5/1")));
  CHECK(Flows(table).empty());
  CHECK(gateway.Statistic(MARCH_STATISTIC_FLOWS_OPENED) == 0);
}

}  // namespace
}  // namespace march::tests
