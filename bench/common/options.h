// Command lines of benchmarks.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

namespace march::bench {

// An option that takes "A,B,...".
template <class T>
void AddList(CLI::App& app, const std::string& name, std::vector<T>& values,
             const std::string& what, const std::vector<std::string>& allowed = {}) {
  auto* option = app.add_option(name, values, what)->delimiter(',');
  if (!allowed.empty()) option->check(CLI::IsMember(allowed));
}

// "quick" or "full". It is what the other options change, so it is looked for first.
inline std::string PresetOf(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string(argv[i]) == "--preset") return argv[i + 1];
  }
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--preset=full") return "full";
  }
  return "quick";
}

// "all", and the names of `kinds`.
template <class Kind>
std::vector<std::string> NamesOf(const std::vector<Kind>& kinds) {
  std::vector<std::string> names = {"all"};
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return names;
}

// Ends the program on --help and on errors (64).
inline void ParseOrExit(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 64);
  }
}

}  // namespace march::bench
