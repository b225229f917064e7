#include "runtime/control/api.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/version.h"
#include "runtime/telemetry/metrics.h"

namespace march::control {
namespace {

using Json = nlohmann::ordered_json;
using telemetry::Snapshot;

struct Route {
  std::string_view path;
  std::string_view method;
  bool for_metrics;  // served on the metrics address too
};
constexpr std::array<Route, 5> kRoutes = {{{"/healthz", "GET", true},
                                           {"/metrics", "GET", true},
                                           {"/v1/status", "GET", false},
                                           {"/v1/rules", "GET", false},
                                           {"/v1/bundles", "POST", false}}};

std::string_view PathOf(const RequestHead& head) {
  const std::string_view target = head.target;
  return target.substr(0, target.find('?'));
}

Response JsonResponse(int status, const Json& json) {
  return {status, "application/json",
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", ""};
}

Response Failed(const Diagnostics& diagnostics, bool refused) {
  const Diagnostic& first = diagnostics.front();
  return ErrorResponse(refused ? 403 : 500, InfoOf(first.code).id, refused ? "refused" : "failed",
                       first.message, first.hint);
}

Json InterfacesJson(const std::vector<telemetry::InterfaceState>& interfaces) {
  Json list = Json::array();
  for (const telemetry::InterfaceState& interface : interfaces) {
    Json item = {{"name", interface.name}, {"mode", interface.mode}};
    if (!interface.problem.empty()) item["problem"] = interface.problem;
    list.push_back(std::move(item));
  }
  return list;
}

Json Counted(Json item, const telemetry::Count& count) {
  item["packets"] = count.packets;
  item["bytes"] = count.bytes;
  return item;
}

Response Health(const Snapshot& snapshot) {
  if (snapshot.problem.empty()) return {200, "text/plain; charset=utf-8", "ok\n", ""};
  return {503, "text/plain; charset=utf-8", snapshot.problem + "\n", ""};
}

Response Status(const Snapshot& snapshot) {
  return JsonResponse(200, {{"format_version", 1},
                            {"version", kVersion},
                            {"enforcement", telemetry::NameOf(snapshot.enforcement)},
                            {"problem", snapshot.problem},
                            {"generation", snapshot.generation},
                            {"serial", snapshot.serial},
                            {"highest_serial", snapshot.highest_serial},
                            {"policy_digest", snapshot.policy_digest},
                            {"cluster", snapshot.cluster},
                            {"compiled_by", snapshot.tool_version},
                            {"mappings", snapshot.mappings.size()},
                            {"default_action", snapshot.default_action},
                            {"interfaces", InterfacesJson(snapshot.interfaces)},
                            {"swaps", snapshot.swaps},
                            {"refused_bundles", snapshot.refused}});
}

Response Rules(const Snapshot& snapshot) {
  Json json = {{"format_version", 1},       {"generation", snapshot.generation},
               {"mappings", Json::array()}, {"defaults", Json::array()},
               {"slots", Json::array()},    {"retired", Json::array()}};
  for (const telemetry::MappingCount& row : snapshot.mappings) {
    json["mappings"].push_back(Counted({{"name", row.name},
                                        {"action", row.action},
                                        {"priority", row.priority},
                                        {"place", row.place}},
                                       row.count));
  }
  for (const auto& [action, count] : snapshot.defaults) {
    json["defaults"].push_back(
        Counted({{"action", action}, {"current", action == snapshot.default_action}}, count));
  }
  for (const telemetry::SlotCount& row : snapshot.slots) {
    json["slots"].push_back(
        Counted({{"name", row.name}, {"action", row.passes ? "allow" : "drop"}}, row.count));
  }
  for (const telemetry::RetiredCount& row : snapshot.retired) {
    json["retired"].push_back(Counted({{"name", row.name}, {"action", row.action}}, row.count));
  }
  json["retired_rest"] = Counted(Json::object(), snapshot.retired_rest);
  return JsonResponse(200, json);
}

}  // namespace

Response ErrorResponse(int status, std::string_view code, std::string_view kind,
                       std::string_view message, std::string_view hint) {
  return JsonResponse(
      status, {{"format_version", 1},
               {"error", {{"code", code}, {"class", kind}, {"message", message}, {"hint", hint}}}});
}

Handler::Admission Api::Admit(const RequestHead& head) const {
  const std::string_view path = PathOf(head);
  for (const Route& route : kRoutes) {
    if (path != route.path || (scope_ == Scope::kMetrics && !route.for_metrics)) continue;
    if (head.method == route.method)
      return {route.method == "POST" ? max_bundle_bytes_ : 0, true, {}};
    Admission refused{
        0, false,
        ErrorResponse(405, "", "request",
                      std::string(path) + " answers " + std::string(route.method) + " only")};
    refused.refusal.allow = route.method;
    return refused;
  }
  return {0, false, ErrorResponse(404, "", "request", "there is nothing at this path")};
}

Response Api::Apply(std::string_view bundle) {
  const auto start = std::chrono::steady_clock::now();
  const auto applied = applier_.Accept(bundle);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  if (!applied.ok()) return Failed(applied.diagnostics(), apply::IsRefusal(applied.diagnostics()));
  return JsonResponse(200, {{"format_version", 1},
                            {"result", applied->changed ? "applied" : "unchanged"},
                            {"generation", applied->generation},
                            {"serial", applied->serial},
                            {"policy_digest", applied->policy_digest},
                            {"interfaces", InterfacesJson(applied->interfaces)},
                            {"swap_ms", took.count()}});
}

Response Api::Handle(const RequestHead& head, std::string_view body) {
  const std::string_view path = PathOf(head);
  if (path == "/v1/bundles") return Apply(body);
  const auto snapshot = applier_.Observe();
  if (!snapshot.ok()) return Failed(snapshot.diagnostics(), false);
  if (path == "/healthz") return Health(*snapshot);
  if (path == "/metrics") {
    return {200, telemetry::kMetricsContentType, telemetry::MetricsText(*snapshot), ""};
  }
  if (path == "/v1/status") return Status(*snapshot);
  return Rules(*snapshot);
}

}  // namespace march::control
