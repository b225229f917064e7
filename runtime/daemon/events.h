// The configuration's section `events`, documented in march-runtime(5).
#pragma once

#include <cstdint>

#include "bundle/abi/event.h"
#include "runtime/daemon/config_reader.h"

namespace march::daemon {

struct EventsConfig {
  std::uint64_t drops = 1000;  // a second and CPU; 0: none are told
  std::uint64_t allows = 0;    // likewise
  std::uint64_t keep = 10'000;

  bool AreOn() const { return drops != 0 || allows != 0; }
  march_event_config ForPrograms() const;
};

// The defaults without a section. Faults go to the reader.
EventsConfig ReadEvents(ConfigReader& reader, const YamlNode* section);

}  // namespace march::daemon
