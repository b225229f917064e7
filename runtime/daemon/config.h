// marchd's configuration: `kind: Runtime`, documented in march-runtime(5).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "base/source.h"
#include "bundle/abi/config.h"
#include "runtime/apply/applier.h"
#include "runtime/daemon/events.h"

namespace march::daemon {

struct Config {
  std::string cluster = "default";
  std::vector<apply::Interface> interfaces;
  std::vector<std::string> trusted_keys;  // paths
  std::string control_socket;
  std::uint64_t max_bundle_bytes = std::uint64_t{256} << 20;
  std::string metrics;  // ADDRESS:PORT, or "" for none
  std::string state_directory;
  std::string bpffs_directory = "/sys/fs/bpf/march";
  bool drop_without_policy = false;
  // What programs are loaded with; the secret and the generation are not the configuration's.
  march_config gateway{};
  EventsConfig events;
};

// All that is wrong, not just the first thing. Error: kBadConfig.
Outcome<Config> ParseConfig(const Source& source);

}  // namespace march::daemon
