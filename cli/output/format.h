// The -o option that verbs share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace march::cli {

// Adds `-o,--output FORMAT`, one of text (the default) and json, read into `format`.
inline void AddOutputOption(CLI::App& verb, std::string& format) {
  format = "text";
  verb.add_option("-o,--output", format, "Output format")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

}  // namespace march::cli
