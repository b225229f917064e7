#include "runtime/control/api.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/version.h"
#include "runtime/control/block_routes.h"
#include "runtime/control/event_routes.h"
#include "runtime/control/flow_routes.h"
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
constexpr std::array<Route, 13> kRoutes = {{{"/healthz", "GET", true},
                                            {"/metrics", "GET", true},
                                            {"/v1/status", "GET", false},
                                            {"/v1/rules", "GET", false},
                                            {"/v1/bundle", "GET", false},
                                            {"/v1/events", "GET", false},
                                            {"/v1/flows", "GET", false},
                                            {"/v1/flows/summary", "GET", false},
                                            {"/v1/flows/cut", "POST", false},
                                            {"/v1/blocks", "GET", false},
                                            {"/v1/blocks/add", "POST", false},
                                            {"/v1/blocks/remove", "POST", false},
                                            {"/v1/bundles", "POST", false}}};

// The largest body that is of use at a path.
std::uint64_t MostBody(std::string_view path, std::uint64_t max_bundle_bytes) {
  if (path == "/v1/bundles") return max_bundle_bytes;
  return path.starts_with("/v1/blocks/") ? kMaxBlockBody : 0;
}

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
    item["forward"] = interface.fast ? "fast" : "kernel";
    if (!interface.slow.empty()) item["forward_problem"] = interface.slow;
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
  Json json = {{"format_version", 1},
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
               {"refused_bundles", snapshot.refused},
               {"flow_tables", FlowTablesJson(snapshot)},
               {"statistics", StatisticsJson(snapshot)}};
  if (snapshot.block_list) {
    json["block_list"] = {{"entries", snapshot.block_list->entries},
                          {"capacity", snapshot.block_list->capacity}};
  }
  return JsonResponse(200, json);
}

Response Rules(const Snapshot& snapshot) {
  Json json = {{"format_version", 1},       {"generation", snapshot.generation},
               {"mappings", Json::array()}, {"defaults", Json::array()},
               {"slots", Json::array()},    {"retired", Json::array()}};
  for (const telemetry::MappingCount& row : snapshot.mappings) {
    Json mapping = Counted({{"name", row.name},
                            {"action", row.action},
                            {"priority", row.priority},
                            {"place", row.place}},
                           row.count);
    if (row.above_limit) mapping["above_limit"] = Counted(Json::object(), *row.above_limit);
    json["mappings"].push_back(std::move(mapping));
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
    if (head.method == route.method) return {MostBody(path, max_bundle_bytes_), true, {}};
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

Response Api::Bundle(std::string_view target) const {
  return AnswerBundle(target, applier_);
}

Response Api::Events(std::string_view target) const {
  if (events_ != nullptr) return AnswerEvents(target, *events_);
  return ErrorResponse(404, "", "request", "events are switched off",
                       "`events` in march-runtime(5) switches them on");
}

Response Api::Flows(std::string_view target) const {
  if (flows_ == nullptr) {
    return ErrorResponse(404, "", "request", "this gateway keeps no connections",
                         "`connections` in march-runtime(5) says how many it keeps");
  }
  return AnswerAboutFlows(target, *flows_, [this](std::uint64_t generation) {
    return applier_.MappingsOf(generation);
  });
}

Response Api::Blocks(std::string_view target, std::string_view body) const {
  if (blocks_ != nullptr) return AnswerAboutBlocks(target, body, *blocks_);
  return ErrorResponse(404, "", "request", "this gateway keeps no block list",
                       "`abuse` in march-runtime(5) says how long one may be");
}

Response Api::Handle(const RequestHead& head, std::string_view body) {
  const std::string_view path = PathOf(head);
  if (path == "/v1/bundles") return Apply(body);
  if (path == "/v1/bundle") return Bundle(head.target);
  if (path == "/v1/events") return Events(head.target);
  if (path.starts_with("/v1/flows")) return Flows(head.target);
  if (path.starts_with("/v1/blocks")) return Blocks(head.target, body);
  auto snapshot = applier_.Observe();
  if (!snapshot.ok()) return Failed(snapshot.diagnostics(), false);
  describe_(*snapshot);
  if (path == "/healthz") return Health(*snapshot);
  if (path == "/metrics") {
    return {200, telemetry::kMetricsContentType, telemetry::MetricsText(*snapshot), ""};
  }
  if (path == "/v1/status") return Status(*snapshot);
  return Rules(*snapshot);
}

}  // namespace march::control
