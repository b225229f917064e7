// What every verb that reads a policy takes.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "compiler/pipeline/pipeline.h"

namespace march::cli {

// The required POLICY, read into `policy`.
void AddPolicyArgument(CLI::App& verb, std::string& policy);

// `--limit NAME=VALUE`, which may be repeated: bounds on the policy's texts, read into `options`,
// which must live as long as `verb`.
void AddLimitOption(CLI::App& verb, pipeline::Options& options);

}  // namespace march::cli
