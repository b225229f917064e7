#include "runtime/events/event_json.h"

#include <arpa/inet.h>

#include <array>
#include <cstdio>
#include <ctime>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

namespace march::events {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kIcmp = 1;
constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;
constexpr std::uint32_t kIcmpv6 = 58;
constexpr std::uint32_t kSctp = 132;

std::string ProtocolText(std::uint32_t protocol) {
  switch (protocol) {
    case kIcmp:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kIcmpv6:
      return "icmpv6";
    case kSctp:
      return "sctp";
    default:
      return std::to_string(protocol);
  }
}

std::string AddressText(std::uint32_t family, std::uint64_t hi, std::uint64_t lo) {
  std::array<unsigned char, 16> bytes{};
  const std::size_t size = family == 4 ? 4 : 16;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t from_end = size - 1 - i;
    const std::uint64_t half = from_end < 8 ? lo : hi;
    bytes.at(i) = static_cast<unsigned char>(half >> from_end % 8 * 8);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

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

void AddReason(Json& json, std::uint32_t slot, const bundle::MappingTable* names) {
  if (slot < MARCH_SLOT_FIRST_MAPPING) {
    json["reason"] = bundle::SlotName(slot);
    return;
  }
  json["reason"] = "mapping";
  const std::size_t index = slot - MARCH_SLOT_FIRST_MAPPING;
  if (names == nullptr || index >= names->mappings.size()) {
    json["slot"] = slot;
    return;
  }
  json["mapping"] = names->mappings[index].name;
  json["place"] = names->mappings[index].place;
}

void AddEnds(Json& json, const Ends& ends, bool has_l4, std::uint32_t l4) {
  const std::uint32_t protocol = l4 >> 16 & 0xFF;
  const bool is_fragment = (l4 & MARCH_L4_FRAGMENT) != 0;
  const bool has_ports =
      has_l4 && !is_fragment && (protocol == kTcp || protocol == kUdp || protocol == kSctp);
  if (has_l4) json["protocol"] = ProtocolText(protocol);
  if (ends.family != 0) json["source"] = AddressText(ends.family, ends.src_hi, ends.src_lo);
  if (has_ports) json["source_port"] = ends.source_port;
  if (ends.family != 0) json["destination"] = AddressText(ends.family, ends.dst_hi, ends.dst_lo);
  if (has_ports) json["destination_port"] = l4 & 0xFFFF;
  if (has_l4 && !is_fragment && (protocol == kIcmp || protocol == kIcmpv6)) {
    json["icmp_type"] = l4 >> 8 & 0xFF;
    json["icmp_code"] = l4 & 0xFF;
  }
  if (is_fragment) json["fragment"] = true;
}

Json EventJson(const march_event& event, const bundle::MappingTable* names,
               std::string_view interface, std::chrono::nanoseconds offset) {
  Json json = {{"type", event.action == MARCH_ACTION_ALLOW ? "allow" : "drop"},
               {"time", TimeText(std::chrono::nanoseconds(event.time) + offset)},
               {"generation", event.generation}};
  AddReason(json, event.slot, names);
  json["interface"] = interface.empty() ? std::to_string(event.ifindex) : std::string(interface);
  const bool has_l4 = event.slot >= MARCH_SLOT_DEFAULT || event.l4 != 0;
  AddEnds(json,
          {event.family, event.src_hi, event.src_lo, event.dst_hi, event.dst_lo, event.source_port},
          has_l4, event.l4);
  const bool is_tcp = (event.l4 >> 16) == kTcp;
  if (is_tcp) json["tcp_flags"] = FlagsText(event.detail);
  json["bytes"] = event.bytes;
  json["untold"] = event.untold;
  json["cpu"] = event.cpu;
  return json;
}

}  // namespace march::events
