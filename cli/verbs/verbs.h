// One function a verb, each in the file of its name: adds the verb to the program, and runs it when
// the command line names it. `exit_code` is set when the verb has run.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/environment.h"

namespace march::cli {

void AddInit(CLI::App& app, Environment& environment, int& exit_code);
void AddFmt(CLI::App& app, Environment& environment, int& exit_code);
void AddValidate(CLI::App& app, Environment& environment, int& exit_code);
void AddLint(CLI::App& app, Environment& environment, int& exit_code);
void AddTest(CLI::App& app, Environment& environment, int& exit_code);
void AddCompile(CLI::App& app, Environment& environment, int& exit_code);
void AddExplain(CLI::App& app, Environment& environment, int& exit_code);
void AddReplay(CLI::App& app, Environment& environment, int& exit_code);
void AddApply(CLI::App& app, Environment& environment, int& exit_code);
void AddStatus(CLI::App& app, Environment& environment, int& exit_code);
void AddRules(CLI::App& app, Environment& environment, int& exit_code);
void AddBlock(CLI::App& app, Environment& environment, int& exit_code);
void AddFlows(CLI::App& app, Environment& environment, int& exit_code);
void AddMonitor(CLI::App& app, Environment& environment, int& exit_code);
void AddTop(CLI::App& app, Environment& environment, int& exit_code);
void AddBundle(CLI::App& app, Environment& environment, int& exit_code);
void AddKey(CLI::App& app, Environment& environment, int& exit_code);
void AddSchema(CLI::App& app, Environment& environment, int& exit_code);
void AddCompletion(CLI::App& app, Environment& environment, int& exit_code);

}  // namespace march::cli
