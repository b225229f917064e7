// A running marchd, as the verbs see it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/outcome.h"

namespace march::cli {

// Adds the required `--target unix:PATH`.
void AddTargetOption(CLI::App& verb, std::string& target);

// One call of the control API. An answer that is an error comes back as the diagnostic that marchd
// made, with its code, so a refusal by the gateway ends with the exit code of a refusal.
Outcome<nlohmann::json> Call(const std::string& target, const std::string& method,
                             const std::string& path, std::string_view body = {});

// The bytes at `path`, whatever they are. Errors as of Call.
Outcome<std::string> Fetch(const std::string& target, const std::string& path);

// A stream of JSON lines: each is handed to `take` as it comes, until `take` returns false or the
// stream ends. Lines that are no JSON objects are passed over. Errors as of Call.
Outcome<Done> Stream(const std::string& target, const std::string& path,
                     const std::function<bool(const nlohmann::ordered_json& line)>& take);

}  // namespace march::cli
