// marchctl init [DIR]: a policy repository to begin with.
#include <memory>
#include <utility>

#include "cli/embedded.h"
#include "cli/exit_code.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

constexpr std::string_view kTemplates = "init/";
constexpr unsigned kMode = 0644;

// What is written where.
std::vector<std::pair<std::string, std::string>> FilesBelow(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    std::string_view name = file.name;
    if (name.starts_with(kTemplates)) name.remove_prefix(kTemplates.size());
    files.emplace_back(directory + "/" + std::string(name), file.text);
  }
  return files;
}

int Run(Environment& environment, const std::string& directory) {
  const auto files = FilesBelow(directory);
  Diagnostics present;
  for (const auto& [path, text] : files) {
    if (environment.files.KindOf(path) == FileSystem::Kind::kNothing) continue;
    present.push_back(MakeDiagnostic(Code::kCannotWrite, {}, path + " is there already",
                                     "name an empty directory, or move it away"));
  }
  if (!present.empty()) return Report(environment, present);
  for (const auto& [path, text] : files) {
    if (const auto written = environment.files.WriteAtomically(path, text, kMode); !written.ok()) {
      return Report(environment, written.diagnostics());
    }
    environment.out << path << "\n";
  }
  return kOk;
}

}  // namespace

void AddInit(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("init", "Write a policy repository to begin with");
  const auto directory = std::make_shared<std::string>(".");
  verb->add_option("DIR", *directory, "Where; made if it is not there")->capture_default_str();
  verb->callback(
      [&environment, &exit_code, directory] { exit_code = Run(environment, *directory); });
}

}  // namespace march::cli
