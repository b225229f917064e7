#include "cli/live/event.h"

#include <array>
#include <ctime>
#include <utility>

namespace march::cli {
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::uint16_t> PortIn(const Json& json, const char* key) {
  const std::uint64_t port = NumberIn(json, key);
  if (!json.contains(key) || port > 0xFFFF) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::optional<space::Flow> FlowOf(const Event& event) {
  const auto protocol = space::ParseProtocol(TextIn(event.json, "protocol"));
  if (!protocol || !event.source || !event.destination) return std::nullopt;
  space::Flow flow;
  flow.protocol = *protocol;
  flow.source = *event.source;
  flow.destination = *event.destination;
  flow.later_fragment = event.json.contains("fragment");
  flow.source_port = PortIn(event.json, "source_port").value_or(0);
  flow.destination_port = event.destination_port.value_or(0);
  flow.icmp_type = static_cast<std::uint8_t>(NumberIn(event.json, "icmp_type"));
  flow.icmp_code = static_cast<std::uint8_t>(NumberIn(event.json, "icmp_code"));
  return flow;
}

}  // namespace

std::string TextIn(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::uint64_t NumberIn(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_number_integer()) return 0;
  return !it->is_number_unsigned() && it->get<std::int64_t>() < 0 ? 0 : it->get<std::uint64_t>();
}

std::optional<Event> ReadEvent(const Json& line) {
  Event event;
  event.type = TextIn(line, "type");
  if (event.type != "drop" && event.type != "allow" && event.type != "flow") return std::nullopt;
  event.json = line;
  event.number = NumberIn(line, "number");
  event.generation = NumberIn(line, "generation");
  event.reason = TextIn(line, "reason");
  event.mapping = TextIn(line, "mapping");
  event.source = space::Address::Parse(TextIn(line, "source"));
  event.destination = space::Address::Parse(TextIn(line, "destination"));
  event.destination_port = PortIn(line, "destination_port");
  event.tcp_flags = TextIn(line, "tcp_flags");
  event.flow = FlowOf(event);
  return event;
}

std::string ClockText(const std::string& utc) {
  constexpr std::size_t kMillisecondsEnd = 23;  // of "2026-01-31T12:00:00.000"
  std::tm parts{};
  const char* fraction = ::strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (fraction == nullptr || utc.size() < kMillisecondsEnd) return "";
  const std::time_t time = ::timegm(&parts);
  std::tm local{};
  ::localtime_r(&time, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data() + std::string(fraction, 4);
}

}  // namespace march::cli
