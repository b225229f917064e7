// Prometheus' text exposition format, version 0.0.4.
#pragma once

#include <string>

#include "runtime/telemetry/snapshot.h"

namespace march::telemetry {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string MetricsText(const Snapshot& snapshot);

}  // namespace march::telemetry
