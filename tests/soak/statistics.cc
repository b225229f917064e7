#include "tests/soak/statistics.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/print.h"
#include "runtime/control/client.h"

namespace march::soak {

FlowStatistics ReadStatistics(const std::string& target) {
  const auto reply = control::Request(target, "GET", "/v1/flows/summary", "");
  if (!reply) throw std::runtime_error(TextOf(reply.diagnostics()));
  const auto statistics = nlohmann::json::parse(reply->body).at("statistics");
  const auto count = [&](const char* name) { return statistics.at(name).get<std::uint64_t>(); };
  return {count("flows_opened"), count("flows_forbidden"), count("flows_evicted"),
          count("flows_no_room")};
}

}  // namespace march::soak
