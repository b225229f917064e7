// A running marchd, as the verbs see it.
#pragma once

#include <CLI/CLI.hpp>
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

}  // namespace march::cli
