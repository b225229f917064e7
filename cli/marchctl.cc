#include "cli/marchctl.h"

#include <algorithm>

#include "base/version.h"
#include "cli/exit_code.h"
#include "cli/verbs/verbs.h"

namespace march::cli {

int RunMarchctl(const std::vector<std::string>& arguments, Environment& environment) {
  CLI::App app("Data-centre traffic policy, compiled to eBPF and enforced as reviewed.",
               "marchctl");
  app.set_version_flag("--version", std::string("marchctl ") + kVersion);
  app.require_subcommand(1);
  int exit_code = kOk;
  AddValidate(app, environment, exit_code);
  AddCompile(app, environment, exit_code);
  AddExplain(app, environment, exit_code);
  AddReplay(app, environment, exit_code);
  AddApply(app, environment, exit_code);
  AddStatus(app, environment, exit_code);
  AddRules(app, environment, exit_code);
  AddBundle(app, environment, exit_code);
  AddKey(app, environment, exit_code);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, environment.out, environment.err) == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace march::cli
