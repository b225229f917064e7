// marchd from its configuration to its end.
#pragma once

#include "base/file_system.h"
#include "base/outcome.h"
#include "runtime/daemon/config.h"
#include "runtime/telemetry/log.h"

namespace march::daemon {

// The trust a configuration names. Error: kCannotRead, kBadKey.
Outcome<bundle::Trust> LoadTrust(const Config& config, const FileSystem& files);

struct Options {
  bool detach_on_exit = false;
};

// Runs until SIGTERM or SIGINT. Enforcement goes on afterwards unless options say otherwise.
Outcome<Done> Run(const Config& config, const Options& options, FileSystem& files,
                  telemetry::Logger& log);

}  // namespace march::daemon
