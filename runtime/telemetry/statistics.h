// What march_statistics counts (bundle/abi/config.h), in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bundle/abi/config.h"

namespace march::telemetry {

struct StatisticInfo {
  march_statistic which;
  std::string_view name;  // "flows_opened"; the metric is march_NAME_total
  std::string_view help;
};

const std::vector<StatisticInfo>& Statistics();

}  // namespace march::telemetry
