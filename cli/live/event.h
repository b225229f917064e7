// An event of marchd's stream, as far as monitor and top look into it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "compiler/pipeline/engines.h"

namespace march::cli {

struct Event {
  std::string type;  // "drop", "allow", "flow"
  std::uint64_t number = 0;
  std::uint64_t generation = 0;
  std::string reason;   // the name of a slot, or "mapping"
  std::string mapping;  // "" if none decided, or its name is not known
  std::optional<space::Address> source;
  std::optional<space::Address> destination;
  std::optional<std::uint16_t> destination_port;
  std::optional<space::Flow> flow;  // if all of it is known
  std::string tcp_flags;
  nlohmann::ordered_json json;  // all of it
};

// None if the line is of another kind: "counts", "missed".
std::optional<Event> ReadEvent(const nlohmann::ordered_json& line);

// The value of a field, or `otherwise` if it is missing or of another type.
std::string TextIn(const nlohmann::ordered_json& json, const char* key);
std::uint64_t NumberIn(const nlohmann::ordered_json& json, const char* key);

// "10:15:02.113" in the time zone of this process; "" if it is no time as events have it.
std::string ClockText(const std::string& utc);

}  // namespace march::cli
