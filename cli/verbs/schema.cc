// marchctl schema [KIND]: the JSON Schema that editors check and complete documents with.
#include <algorithm>
#include <memory>

#include "cli/embedded.h"
#include "cli/exit_code.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

constexpr std::string_view kBegin = "schemas/";
constexpr std::string_view kEnd = ".schema.json";

// By the kind of document, in lower case: "policy".
std::vector<std::string> Kinds() {
  std::vector<std::string> kinds;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (!file.name.starts_with(kBegin)) continue;
    kinds.emplace_back(
        file.name.substr(kBegin.size(), file.name.size() - kBegin.size() - kEnd.size()));
  }
  return kinds;
}

int Run(Environment& environment, const std::string& kind) {
  const std::string name = std::string(kBegin) + kind + std::string(kEnd);
  const auto& files = EmbeddedFiles();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const EmbeddedFile& file) { return file.name == name; });
  environment.out << found->text;
  return kOk;
}

}  // namespace

void AddSchema(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("schema", "Print the JSON Schema of a kind of document");
  const auto kind = std::make_shared<std::string>("policy");
  verb->add_option("KIND", *kind, "Kind of document")
      ->check(CLI::IsMember(Kinds()))
      ->capture_default_str();
  verb->callback([&environment, &exit_code, kind] { exit_code = Run(environment, *kind); });
}

}  // namespace march::cli
