#include "runtime/events/event_json.h"

#include <netinet/in.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "runtime/flows/clock.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/flow_text.h"

namespace march::events {
namespace {

using Json = nlohmann::ordered_json;

// RFC 9293 and RFC 3168, from the lowest bit on.
std::string FlagsText(std::uint32_t flags) {
  constexpr std::string_view kLetters = "FSRPAUEC";
  std::string text;
  for (std::size_t bit = 0; bit < kLetters.size(); ++bit) {
    if (flags >> bit & 1) text += kLetters[bit];
  }
  return text;
}

std::chrono::nanoseconds TimeOf(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// `reason`, and with it `mapping` and `place`.
void PutReason(std::uint32_t slot, const Names& names, Json& json) {
  if (slot < MARCH_SLOT_FIRST_MAPPING) {
    json["reason"] = bundle::SlotName(slot);
    return;
  }
  json["reason"] = "mapping";
  if (names.mapping.empty()) {
    json["slot"] = slot;
    return;
  }
  json["mapping"] = names.mapping;
  json["place"] = names.place;
}

std::string InterfaceText(const Names& names, std::uint32_t index) {
  return names.interface.empty() ? std::to_string(index) : names.interface;
}

bool HasPorts(std::uint32_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

void PutEnds(const march_event& event, Json& json) {
  const bool has_l4 = event.slot >= MARCH_SLOT_DEFAULT || event.l4 != 0;
  const std::uint32_t protocol = event.l4 >> 16 & 0xFF;
  const bool is_fragment = (event.l4 & MARCH_L4_FRAGMENT) != 0;
  const bool has_ports = has_l4 && !is_fragment && HasPorts(protocol);
  if (has_l4) json["protocol"] = flows::ProtocolName(static_cast<std::uint8_t>(protocol));
  if (event.family != 0) {
    json["source"] = flows::AddressText(event.family, event.src_hi, event.src_lo);
  }
  if (has_ports) json["source_port"] = event.source_port;
  if (event.family != 0) {
    json["destination"] = flows::AddressText(event.family, event.dst_hi, event.dst_lo);
  }
  if (has_ports) json["destination_port"] = event.l4 & 0xFFFF;
  if (has_l4 && !is_fragment && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)) {
    json["icmp_type"] = event.l4 >> 8 & 0xFF;
    json["icmp_code"] = event.l4 & 0xFF;
  }
  if (is_fragment) json["fragment"] = true;
  if (has_l4 && protocol == IPPROTO_TCP && !is_fragment) {
    json["tcp_flags"] = FlagsText(event.detail);
  }
}

void PutEnds(const march_flow& flow, Json& json) {
  const std::uint64_t family = MARCH_FLOW_FAMILY(flow.l4);
  const std::uint64_t kind = MARCH_FLOW_KIND(flow.l4);
  const bool has_ports = kind == MARCH_KIND_PORTS;
  const auto protocol = static_cast<std::uint8_t>(MARCH_FLOW_PROTOCOL(flow.l4));
  json["protocol"] = flows::ProtocolName(protocol);
  json["source"] = flows::AddressText(family, flow.src_hi, flow.src_lo);
  if (has_ports && HasPorts(protocol)) json["source_port"] = MARCH_FLOW_SOURCE_PORT(flow.l4);
  json["destination"] = flows::AddressText(family, flow.dst_hi, flow.dst_lo);
  if (has_ports && HasPorts(protocol)) {
    json["destination_port"] = MARCH_FLOW_DESTINATION_PORT(flow.l4);
  }
  if (kind == MARCH_KIND_FRAGMENTS) {
    json["fragment"] = true;
  } else if (!has_ports) {
    json["icmp_type"] = kind & 0xFF;
    json["icmp_code"] = 0;
  }
}

std::string TickText(flows::Tick tick) {
  return TimeText(flows::WallTimeOf(tick).time_since_epoch());
}

}  // namespace

std::chrono::nanoseconds ClockOffset() {
  return TimeOf(CLOCK_REALTIME) - TimeOf(CLOCK_MONOTONIC);
}

std::string TimeText(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(micros.count()));
  return std::string(date.data()) + fraction.data();
}

Names NamesOf(std::uint32_t slot, const bundle::MappingTable* table, std::string interface) {
  Names names{"", "", std::move(interface)};
  const std::size_t index = slot - MARCH_SLOT_FIRST_MAPPING;
  if (slot < MARCH_SLOT_FIRST_MAPPING || table == nullptr || index >= table->mappings.size()) {
    return names;
  }
  names.mapping = table->mappings[index].name;
  names.place = table->mappings[index].place;
  return names;
}

Json EventJson(const march_event& event, const Names& names, std::chrono::nanoseconds offset) {
  Json json = {{"type", event.action == MARCH_ACTION_ALLOW ? "allow" : "drop"},
               {"time", TimeText(std::chrono::nanoseconds(event.time) + offset)},
               {"generation", event.generation}};
  PutReason(event.slot, names, json);
  json["interface"] = InterfaceText(names, event.ifindex);
  PutEnds(event, json);
  json["bytes"] = event.bytes;
  json["untold"] = event.untold;
  json["cpu"] = event.cpu;
  return json;
}

Json FlowJson(const flows::FlowRecord& record, const Names& names) {
  const march_flow& flow = record.flow;
  Json json = {{"type", "flow"},
               {"time", TickText(record.ended)},
               {"generation", MARCH_FLOW_GENERATION(flow.judged)}};
  PutReason(static_cast<std::uint32_t>(MARCH_FLOW_SLOT(flow.judged)), names, json);
  json["interface"] = InterfaceText(names, flow.ifindex);
  PutEnds(flow, json);
  const auto duration = flows::Since(flow.begun, record.ended);
  json["verdict"] = "allow";
  json["ending"] = flows::NameOf(record.ending);
  json["begun"] = TickText(flow.begun);
  const std::int64_t tenths = duration.count() / 100;
  json["duration_s"] = static_cast<double>(tenths) / 10;
  flows::PutCounts(flow, json);
  return json;
}

}  // namespace march::events
