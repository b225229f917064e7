// marchctl validate POLICY: is it a policy, and if not, where and why not.
#include <memory>

#include "cli/exit_code.h"
#include "cli/output/findings.h"
#include "cli/output/format.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string format;
};

std::string Count(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

int Run(Environment& environment, const Flags& flags) {
  // The rules stage is the last that can find a fault in the policy's meaning.
  const auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kRules);
  PrintFindings({"validate", flags.policy, compilation.sources, compilation.diagnostics},
                flags.format, environment);
  const ExitCode code = ExitCodeOf(compilation.diagnostics);
  if (code == kOk && flags.format == "text") {
    environment.out << flags.policy << ": valid, "
                    << Count(compilation.policy->services.size(), "service") << ", "
                    << Count(compilation.policy->mappings.size(), "mapping") << " in "
                    << Count(compilation.sources.size(), "file") << "\n";
    const Diagnostics& unenforced = compilation.policy->unenforced;
    if (!unenforced.empty()) {
      environment.out
          << Count(unenforced.size(), "setting")
          << " cannot be enforced by this version, and `compile` refuses them; the first: "
          << unenforced.front().range.ToString() << "\n";
    }
  }
  return code;
}

}  // namespace

void AddValidate(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("validate", "Check a policy's syntax, schema and meaning");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("POLICY", flags->policy, "File, directory or bundle")->required();
  AddOutputOption(*verb, flags->format, FindingFormats());
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
