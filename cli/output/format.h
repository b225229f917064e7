// The -o option that verbs share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace march::cli {

// Adds `-o,--output FORMAT`, one of `formats`, the first of which is the default, read into
// `format`.
inline void AddOutputOption(CLI::App& verb, std::string& format,
                            const std::vector<std::string>& formats = {"text", "json"}) {
  format = formats.front();
  verb.add_option("-o,--output", format, "Output format")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
}

}  // namespace march::cli
