// How `top` reads a gateway.
#include "cli/live/event.h"
#include "cli/live/top_view.h"
#include "cli/target.h"

namespace march::cli {
namespace {

using nlohmann::json;

// Of the connections with the most bytes, so many are compared.
constexpr const char* kConnections = "/v1/flows?sort=bytes&limit=2000";

std::string Text(const json& item, const char* key) {
  return item.value(key, std::string());
}

std::uint64_t Number(const json& item, const char* key) {
  return item.value(key, std::uint64_t{0});
}

Amount AmountIn(const json& item) {
  return {static_cast<double>(Number(item, "packets")), static_cast<double>(Number(item, "bytes"))};
}

void Add(Amount& sum, const Amount& more) {
  sum.packets += more.packets;
  sum.bytes += more.bytes;
}

json ListIn(const json& object, const char* key) {
  return object.value(key, json::array());
}

void TakeRules(const json& rules, TopReading& reading) {
  using Kind = TopReading::Kind;
  for (const char* list : {"mappings", "retired"}) {
    for (const json& item : ListIn(rules, list)) {
      Add(reading.rows[{Kind::kMapping, Text(item, "name"), Text(item, "action")}], AmountIn(item));
    }
  }
  for (const json& item : ListIn(rules, "defaults")) {
    Add(reading.rows[{Kind::kDefault, "", Text(item, "action")}], AmountIn(item));
  }
  for (const json& item : ListIn(rules, "slots")) {
    Add(reading.rows[{Kind::kSlot, Text(item, "name"), Text(item, "action")}], AmountIn(item));
  }
}

void TakeStatus(const json& status, TopReading& reading) {
  reading.enforcement = Text(status, "enforcement");
  reading.generation = Number(status, "generation");
  reading.connections_begun = Number(status.value("statistics", json::object()), "flows_opened");
  for (const json& table : ListIn(status, "flow_tables")) {
    reading.tables.push_back(
        {Text(table, "name"), Number(table, "flows"), Number(table, "capacity")});
  }
}

void TakeConnections(const json& answer, TopReading& reading) {
  for (const json& item : ListIn(answer, "flows")) {
    const std::string source = Text(item, "source");
    std::string ends;
    for (const char* key : {"protocol", "source_port", "destination", "destination_port",
                            "icmp_type", "icmp_identifier", "fragments_of"}) {
      ends += item.value(key, json()).dump() + " ";
    }
    Amount amount = AmountIn(item);
    Add(amount, {static_cast<double>(Number(item, "reply_packets")),
                 static_cast<double>(Number(item, "reply_bytes"))});
    reading.connections[source + " " + ends] = {source, amount};
  }
}

Outcome<Done> TakeEvents(const std::string& target, const TopReading* before, TopReading& reading) {
  std::string path = "/v1/events?follow=false";
  if (before != nullptr && before->next_event != 0) {
    path += "&since=" + std::to_string(before->next_event);
  }
  return Stream(target, path, [&](const nlohmann::ordered_json& line) {
    reading.next_event = std::max(reading.next_event, NumberIn(line, "next"));
    if (line.contains("number")) reading.next_event = NumberIn(line, "number") + 1;
    if (TextIn(line, "type") != "drop") return true;
    ++reading.all_drop_events;
    if (const std::string source = TextIn(line, "source"); !source.empty()) {
      ++reading.drop_events[source];
    }
    return true;
  });
}

}  // namespace

Outcome<TopReading> ReadTop(const std::string& target, const TopReading* before) {
  TopReading reading;
  const auto status = Call(target, "GET", "/v1/status");
  if (!status) return status.diagnostics();
  reading.at = std::chrono::steady_clock::now();
  const auto rules = Call(target, "GET", "/v1/rules");
  if (!rules) return rules.diagnostics();
  TakeStatus(*status, reading);
  TakeRules(*rules, reading);
  // A gateway without connections, or without events, refuses to tell of them.
  if (const auto connections = Call(target, "GET", kConnections); connections.ok()) {
    TakeConnections(*connections, reading);
  }
  // Where they could not be had, the next ones begin where these would have.
  if (!TakeEvents(target, before, reading) && reading.next_event == 0 && before != nullptr) {
    reading.next_event = before->next_event;
  }
  return reading;
}

}  // namespace march::cli
