// Connections over the control API: GET /v1/flows, GET /v1/flows/summary, POST /v1/flows/cut.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "runtime/control/api.h"
#include "runtime/flows/keeper.h"
#include "runtime/flows/mapping_names.h"
#include "runtime/telemetry/snapshot.h"

namespace march::control {

// The path of `target` is one of the three. 400 for a query that is not understood.
Response AnswerAboutFlows(std::string_view target, flows::FlowKeeper& keeper,
                          const flows::MappingsOf& mappings_of);

// A list and an object; empty where there are none.
nlohmann::ordered_json FlowTablesJson(const telemetry::Snapshot& snapshot);
nlohmann::ordered_json StatisticsJson(const telemetry::Snapshot& snapshot);

}  // namespace march::control
