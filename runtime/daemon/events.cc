#include "runtime/daemon/events.h"

namespace march::daemon {
namespace {

// More than a ring holds that is read a hundred times a second.
constexpr std::uint64_t kMostPerSecond = 100'000;
constexpr std::uint64_t kMostKept = 1'000'000;

std::uint64_t IntervalOf(std::uint64_t per_second) {
  return per_second == 0 ? 0 : MARCH_EVENT_BURST / per_second;
}

}  // namespace

march_event_config EventsConfig::ForPrograms() const {
  march_event_config config{};
  config.intervals[MARCH_EVENT_DROP] = IntervalOf(drops);
  config.intervals[MARCH_EVENT_ALLOW] = IntervalOf(allows);
  return config;
}

EventsConfig ReadEvents(ConfigReader& reader, const YamlNode* section) {
  EventsConfig events;
  if (section == nullptr || !reader.IsMap(*section, "events")) return events;
  reader.CheckKeys(*section, {"drops", "allows", "keep"});
  if (const YamlNode* node = ConfigReader::Find(*section, "drops")) {
    reader.Number(*node, "drops", 0, kMostPerSecond, events.drops);
  }
  if (const YamlNode* node = ConfigReader::Find(*section, "allows")) {
    reader.Number(*node, "allows", 0, kMostPerSecond, events.allows);
  }
  if (const YamlNode* node = ConfigReader::Find(*section, "keep")) {
    reader.Number(*node, "keep", 1, kMostKept, events.keep);
  }
  return events;
}

}  // namespace march::daemon
