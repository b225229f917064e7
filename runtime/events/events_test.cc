// Events as JSON, and readers of the log that keep up or do not.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "runtime/events/event_json.h"
#include "runtime/events/event_log.h"
#include "runtime/flows/counts.h"

namespace march::events {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

bundle::MappingTable Table() {
  bundle::MappingTable table;
  table.default_action = "deny";
  table.mappings = {{"block", "deny", 0, "p.yaml:7"}, {"web", "allow", 0, "p.yaml:9"}};
  return table;
}

march_event Drop() {
  march_event event{};
  event.time = 5'000'113'204'999;
  event.src_lo = 0x0A140101;
  event.dst_lo = 0xCB007109;
  event.l4 = MARCH_L4_KEY(6, 25);
  event.source_port = 40000;
  event.family = 4;
  event.detail = 0x02;
  event.generation = 3;
  event.slot = MARCH_SLOT_DEFAULT;
  event.action = MARCH_ACTION_DENY;
  event.ifindex = 2;
  event.bytes = 74;
  event.cpu = 1;
  event.untold = 12;
  return event;
}

constexpr std::chrono::seconds kOffset{1'769'860'800 - 5000};  // 2026-01-31, 12:00

TEST_CASE("an event of TCP has all its fields") {
  CHECK(EventJson(Drop(), NamesOf(MARCH_SLOT_DEFAULT, nullptr, "eth0"), kOffset).dump() ==
        R"({"type":"drop","time":"2026-01-31T12:00:00.113204Z","generation":3,)"
        R"("reason":"default","interface":"eth0","protocol":"tcp","source":"10.20.1.1",)"
        R"("source_port":40000,"destination":"203.0.113.9","destination_port":25,)"
        R"("tcp_flags":"S","bytes":74,"untold":12,"cpu":1})");
}

TEST_CASE("a mapping has its name and place, or its slot if they are not known") {
  const auto table = Table();
  march_event event = Drop();
  event.slot = MARCH_SLOT_FIRST_MAPPING + 1;
  event.action = MARCH_ACTION_ALLOW;
  Json json = EventJson(event, NamesOf(event.slot, &table, "eth0"), kOffset);
  CHECK(json["type"] == "allow");
  CHECK(json["reason"] == "mapping");
  CHECK(json["mapping"] == "web");
  CHECK(json["place"] == "p.yaml:9");
  CHECK_FALSE(json.contains("slot"));
  for (const bool has_names : {false, true}) {
    event.slot = has_names ? MARCH_SLOT_FIRST_MAPPING + 2 : MARCH_SLOT_FIRST_MAPPING;
    json = EventJson(event, NamesOf(event.slot, has_names ? &table : nullptr, "eth0"), kOffset);
    CHECK(json["reason"] == "mapping");
    CHECK_FALSE(json.contains("mapping"));
    CHECK(json["slot"] == event.slot);
  }
}

TEST_CASE("IPv6, ICMP, fragments, protocols without ports, and interfaces that are gone") {
  march_event event = Drop();
  event.family = 6;
  event.src_hi = 0x20010DB800000000;
  event.src_lo = 1;
  event.dst_hi = 0xFE80000000000000;
  event.dst_lo = 0x0200;
  event.l4 = MARCH_L4_KEY(58, MARCH_ICMP_PORT(1, 4));
  Json json = EventJson(event, {}, kOffset);
  CHECK(json["source"] == "2001:db8::1");
  CHECK(json["destination"] == "fe80::200");
  CHECK(json["protocol"] == "icmpv6");
  CHECK(json["icmp_type"] == 1);
  CHECK(json["icmp_code"] == 4);
  CHECK(json["interface"] == "2");
  CHECK_FALSE(json.contains("source_port"));
  CHECK_FALSE(json.contains("tcp_flags"));

  event.l4 = MARCH_L4_FRAGMENT | MARCH_L4_KEY(17, 0);
  json = EventJson(event, {}, kOffset);
  CHECK(json["protocol"] == "udp");
  CHECK(json["fragment"] == true);
  CHECK_FALSE(json.contains("destination_port"));

  event.l4 = MARCH_L4_KEY(47, 0);
  json = EventJson(event, {}, kOffset);
  CHECK(json["protocol"] == "47");
  CHECK_FALSE(json.contains("destination_port"));
}

TEST_CASE("of a packet that was not read, there is only what was") {
  march_event event = Drop();
  event.slot = MARCH_SLOT_MALFORMED;
  event.l4 = 0;
  Json json = EventJson(event, {}, kOffset);
  CHECK(json["reason"] == "malformed");
  CHECK(json["source"] == "10.20.1.1");
  CHECK_FALSE(json.contains("protocol"));
  event.slot = MARCH_SLOT_NOT_IP;
  event.family = 0;
  json = EventJson(event, {}, kOffset);
  CHECK(json["reason"] == "not-ip");
  CHECK_FALSE(json.contains("source"));
  CHECK_FALSE(json.contains("destination"));
}

TEST_CASE("times before and after a second's turn") {
  CHECK(TimeText(std::chrono::nanoseconds(999'999)) == "1970-01-01T00:00:00.000999Z");
  CHECK(TimeText(std::chrono::nanoseconds(1'999'999'999)) == "1970-01-01T00:00:01.999999Z");
  const auto offset = ClockOffset();
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto machine = Clock::now().time_since_epoch();
  CHECK(std::abs((wall - machine - offset).count()) < 1'000'000'000);
}

// The `type`s, or the numbers where there are any.
std::vector<std::string> Read(Reader& reader, Clock::time_point now, std::size_t bytes = 1 << 20) {
  std::vector<std::string> read;
  std::string text = reader.Take(now, bytes);
  while (!text.empty()) {
    const Json line = Json::parse(text.substr(0, text.find('\n')));
    CHECK(line["format_version"] == 1);
    read.push_back(line.contains("number")   ? line["number"].dump()
                   : line.contains("events") ? "missed " + line["events"].dump()
                                             : line["type"].get<std::string>());
    text.erase(0, text.find('\n') + 1);
  }
  return read;
}
using Lines = std::vector<std::string>;
constexpr BySort kPackets = {true, false};
constexpr BySort kFlows = {false, true};
constexpr BySort kBoth = {true, true};

void Append(EventLog& log, int count, Sort sort = Sort::kPackets) {
  for (int i = 0; i < count; ++i) log.Append(sort, [] { return Json{{"type", "drop"}}; });
}

TEST_CASE("several readers follow, each from its own place") {
  const Clock::time_point now{};
  EventLog log(5);
  Append(log, 2);
  Reader early(log, kPackets, 1);
  Reader late(log, kPackets, log.end());
  CHECK(Read(early, now) == Lines{"counts", "1", "2"});
  CHECK(Read(late, now) == Lines{"counts"});
  Append(log, 1);
  CHECK(Read(early, now) == Lines{"3"});
  CHECK(early.is_at_end());
  CHECK_FALSE(late.is_at_end());
  CHECK(Read(late, now) == Lines{"3"});
  CHECK(Read(late, now).empty());
}

TEST_CASE("who is too slow is told how much was missed") {
  const Clock::time_point now{};
  EventLog log(5);
  Append(log, 3);
  Reader reader(log, kPackets, 1);
  CHECK(Read(reader, now, 1) == Lines{"counts", "1"});
  CHECK(Read(reader, now, 1) == Lines{"2"});
  Append(log, 9);  // up to 12; 8 to 12 are kept
  CHECK(Read(reader, now) == Lines{"missed 5", "8", "9", "10", "11", "12"});
  CHECK(Read(reader, now).empty());
}

TEST_CASE("who does not follow ends with what was there, however much comes meanwhile") {
  const Clock::time_point now{};
  EventLog log(5);
  Append(log, 2);
  Append(log, 2, Sort::kFlows);
  Reader reader(log, kPackets, 1, false);
  CHECK(Read(reader, now, 1) == Lines{"counts", "1"});
  CHECK_FALSE(reader.has_ended());
  Append(log, 1);
  CHECK(Read(reader, now) == Lines{"2"});
  CHECK(reader.has_ended());
  // The one who asks from there on misses nothing.
  const auto counts = Json::parse(reader.Take(now + std::chrono::minutes(1), 99));
  CHECK(counts["next"] == 5);

  // Of what was there, 4 and 5 go before they are taken, and of what came later, 6 does.
  EventLog small(3);
  Append(small, 5);
  Reader slow(small, kPackets, 1, false);
  CHECK(Read(slow, now, 1) == Lines{"counts", "3"});
  Append(small, 4);
  CHECK_FALSE(slow.has_ended());
  CHECK(Read(slow, now) == Lines{"missed 2"});
  CHECK(slow.has_ended());
  Reader none(small, kBoth, small.end(), false);
  CHECK(none.has_ended());
  CHECK(Read(none, now) == Lines{"counts"});
  Reader following(small, kPackets, small.end());
  CHECK(following.is_at_end());
  CHECK_FALSE(following.has_ended());
}

TEST_CASE("packets and flows have room of their own, and come in the order of their numbers") {
  const Clock::time_point now{};
  EventLog log(3);
  Append(log, 2, Sort::kFlows);  // 1, 2
  Append(log, 1);                // 3
  Append(log, 1, Sort::kFlows);  // 4
  Append(log, 4);                // 5 to 8; 3 and 5 are gone
  Reader both(log, kBoth, 1);
  CHECK(Read(both, now) == Lines{"counts", "1", "2", "4", "6", "7", "8"});
  Reader flows(log, kFlows, 2);
  CHECK(Read(flows, now) == Lines{"counts", "2", "4"});
  Reader packets(log, kPackets, 2);
  CHECK(Read(packets, now) == Lines{"counts", "6", "7", "8"});
  Append(log, 2, Sort::kFlows);  // 9, 10
  CHECK(Read(both, now) == Lines{"9", "10"});
  CHECK(packets.is_at_end());
  CHECK_FALSE(flows.is_at_end());
  CHECK(log.NumberBefore(kBoth, 3) == 8);
  CHECK(log.NumberBefore(kPackets, 2) == 7);
  CHECK(log.NumberBefore(kFlows, 2) == 9);
  CHECK(log.NumberBefore(kBoth, 99) == 4);
  CHECK(log.NumberBefore(kBoth, 0) == log.end());
  // Who follows one sort misses nothing of the other.
  Append(log, 9);
  CHECK(Read(flows, now) == Lines{"9", "10"});
  CHECK(Read(both, now) == Lines{"missed 6", "17", "18", "19"});
}

TEST_CASE("a connection that has ended has a record") {
  flows::FlowRecord record;
  march_flow& flow = record.flow;
  flow.src_lo = 0x0A140101;
  flow.dst_lo = 0xCB007109;
  flow.l4 = MARCH_FLOW_L4(40000, 443, 6, MARCH_KIND_PORTS, 4);
  flow.judged = MARCH_FLOW_JUDGED(7, MARCH_SLOT_FIRST_MAPPING + 1, MARCH_FLOW_ESTABLISHED);
  flow.begun = 1000;
  flow.ifindex = 2;
  // More than the low parts hold.
  flows::SetCounts(flow, MARCH_FLOW_FORWARD, {70'000, 5'000'000'000});
  flows::SetCounts(flow, MARCH_FLOW_REPLY, {4, 4000});
  record.ended = 1010;
  record.ending = flows::Ending::kReset;
  const auto table = Table();
  Json json = FlowJson(record, NamesOf(MARCH_SLOT_FIRST_MAPPING + 1, &table, "eth0"));
  CHECK(json["time"].get<std::string>() > json["begun"].get<std::string>());
  json.erase("time");
  json.erase("begun");
  CHECK(json.dump() ==
        R"({"type":"flow","generation":7,"reason":"mapping","mapping":"web","place":"p.yaml:9",)"
        R"("interface":"eth0","protocol":"tcp","source":"10.20.1.1","source_port":40000,)"
        R"("destination":"203.0.113.9","destination_port":443,"verdict":"allow",)"
        R"("ending":"reset","duration_s":2.6,"packets":70000,)"
        R"("bytes":5000000000,"reply_packets":4,)"
        R"("reply_bytes":4000})");
  flow.l4 = MARCH_FLOW_L4(77, 77, 1, MARCH_KIND_ICMP(8), 4);
  json = FlowJson(record, {});
  CHECK(json["icmp_type"] == 8);
  CHECK_FALSE(json.contains("source_port"));
  CHECK(json["slot"] == MARCH_SLOT_FIRST_MAPPING + 1);
  flow.l4 = MARCH_FLOW_L4(0, 0, 47, MARCH_KIND_PORTS, 4);
  CHECK_FALSE(FlowJson(record, {}).contains("source_port"));
}

TEST_CASE("a reader that asks for what is not there gets what is") {
  const Clock::time_point now{};
  EventLog log(2);
  Append(log, 5);
  Reader old(log, kPackets, 1);
  CHECK(Read(old, now) == Lines{"counts", "4", "5"});
  Reader ahead(log, kPackets, 900);
  CHECK(Read(ahead, now) == Lines{"counts", "4", "5"});
}

TEST_CASE("counts come at once when a reader begins, a second after a change, and in silence") {
  const Clock::time_point start{};
  EventLog log(5);
  log.SetCounts({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
  Reader reader(log, kPackets, 1);
  CHECK(reader.Take(start, 1) == R"({"format_version":1,"type":"counts","next":1,)"
                                 R"("drops":{"told":1,"suppressed":2,"lost":3},)"
                                 R"("allows":{"told":4,"suppressed":5,"lost":6},)"
                                 R"("flows":{"told":7,"suppressed":8,"lost":9}})"
                                 "\n");
  log.SetCounts({{1, 2, 4}, {4, 5, 6}, {7, 8, 9}});
  CHECK(Read(reader, start + std::chrono::milliseconds(999)).empty());
  CHECK(Read(reader, start + std::chrono::seconds(1)) == Lines{"counts"});
  CHECK(Read(reader, start + std::chrono::milliseconds(5999)).empty());
  CHECK(Read(reader, start + std::chrono::seconds(6)) == Lines{"counts"});
}

}  // namespace
}  // namespace march::events
