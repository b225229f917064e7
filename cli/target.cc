#include "cli/target.h"

#include "runtime/control/client.h"

namespace march::cli {
namespace {

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
  if (IsError(json)) {
    const nlohmann::json& error = json["error"];
    return MakeDiagnostic(CodeOf(TextAt(error, "code")), {}, TextAt(error, "message"),
                          TextAt(error, "hint"));
  }
  if (reply->status != 200 || !json.is_object()) return Misunderstood(target, reply->status);
  return json;
}

}  // namespace march::cli
