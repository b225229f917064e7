#include "cli/marchctl.h"

#include <algorithm>

#include "base/suggest.h"
#include "base/version.h"
#include "cli/exit_code.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

// Whether the first word names a verb, or no verb is asked for; says so if not. (CLI11 would only
// say that a verb is missing.)
bool KnowsVerb(const CLI::App& app, const std::vector<std::string>& arguments, std::ostream& err) {
  if (arguments.empty() || arguments.front().starts_with('-')) return true;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  const std::string& word = arguments.front();
  if (std::find(verbs.begin(), verbs.end(), word) != verbs.end()) return true;
  err << "marchctl: there is no verb \"" << word << "\"";
  const std::string hint = DidYouMean(word, {verbs.begin(), verbs.end()});
  err << (hint.empty() ? "; see marchctl --help" : "; " + hint) << "\n";
  return false;
}

}  // namespace

int RunMarchctl(const std::vector<std::string>& arguments, Environment& environment) {
  CLI::App app("Data-centre traffic policy, compiled to eBPF and enforced as reviewed.",
               "marchctl");
  app.set_version_flag("--version", std::string("marchctl ") + kVersion);
  app.require_subcommand(1);
  int exit_code = kOk;
  AddInit(app, environment, exit_code);
  AddFmt(app, environment, exit_code);
  AddValidate(app, environment, exit_code);
  AddLint(app, environment, exit_code);
  AddCompile(app, environment, exit_code);
  AddExplain(app, environment, exit_code);
  AddTest(app, environment, exit_code);
  AddReplay(app, environment, exit_code);
  AddApply(app, environment, exit_code);
  AddStatus(app, environment, exit_code);
  AddRules(app, environment, exit_code);
  AddBlock(app, environment, exit_code);
  AddFlows(app, environment, exit_code);
  AddMonitor(app, environment, exit_code);
  AddTop(app, environment, exit_code);
  AddBundle(app, environment, exit_code);
  AddKey(app, environment, exit_code);
  AddSchema(app, environment, exit_code);
  AddCompletion(app, environment, exit_code);

  if (!KnowsVerb(app, arguments, environment.err)) return kUsage;
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, environment.out, environment.err) == 0 ? kOk : kUsage;
  }
  return exit_code;
}

}  // namespace march::cli
