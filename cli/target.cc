#include "cli/target.h"

#include <utility>

#include "runtime/control/client.h"

namespace march::cli {
namespace {

constexpr int kOkStatus = 200;

Code CodeOf(const std::string& id) {
  for (const CodeInfo& info : AllCodes()) {
    if (info.id == id) return info.code;
  }
  return Code::kTargetFailed;
}

Diagnostic Misunderstood(const std::string& target, int status) {
  return MakeDiagnostic(Code::kTargetFailed, {},
                        target + " answered with status " + std::to_string(status) +
                            " and nothing that marchctl understands",
                        "check that it is marchd that listens there, and its version");
}

// Lets a reader of `json` meet a missing key or another type as an exception, turned into a
// diagnostic by Call's caller; here only the envelope is checked.
bool IsError(const nlohmann::json& json) {
  return json.is_object() && json.contains("error") && json["error"].is_object();
}

std::string TextAt(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

Diagnostic ErrorIn(const nlohmann::json& json) {
  const nlohmann::json& error = json["error"];
  return MakeDiagnostic(CodeOf(TextAt(error, "code")), {}, TextAt(error, "message"),
                        TextAt(error, "hint"));
}

// What an answer says that is no success.
Diagnostic RefusalIn(const std::string& target, const control::Reply& reply) {
  const auto json = nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  return IsError(json) ? ErrorIn(json) : Misunderstood(target, reply.status);
}

}  // namespace

void AddTargetOption(CLI::App& verb, std::string& target) {
  verb.add_option("--target", target, "The marchd to talk to: unix:PATH of its control socket")
      ->type_name("unix:PATH")
      ->required()
      ->check([](const std::string& value) {
        return value.starts_with("unix:") && value.size() > 5
                   ? std::string()
                   : "\"" + value + "\" is not unix:PATH";
      });
}

Outcome<nlohmann::json> Call(const std::string& target, const std::string& method,
                             const std::string& path, std::string_view body) {
  const auto reply = control::Request(target, method, path, body);
  if (!reply) return reply.diagnostics();
  nlohmann::json json = nlohmann::json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (IsError(json)) return ErrorIn(json);
  if (reply->status != kOkStatus || !json.is_object()) return Misunderstood(target, reply->status);
  return json;
}

Outcome<std::string> Fetch(const std::string& target, const std::string& path) {
  auto reply = control::Request(target, "GET", path, {});
  if (!reply) return reply.diagnostics();
  if (reply->status != kOkStatus) return RefusalIn(target, *reply);
  return std::move(reply->body);
}

Outcome<Done> Stream(const std::string& target, const std::string& path,
                     const std::function<bool(const nlohmann::ordered_json& line)>& take) {
  const auto reply = control::Follow(target, path, [&](std::string_view line) {
    const auto json = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    return !json.is_object() || take(json);
  });
  if (!reply) return reply.diagnostics();
  if (reply->status != kOkStatus) return RefusalIn(target, *reply);
  return Done{};
}

}  // namespace march::cli
