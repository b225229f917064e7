#include "cli/output/findings.h"

#include <algorithm>

#include "base/print.h"
#include "cli/output/report.h"

namespace march::cli {

const std::vector<std::string>& FindingFormats() {
  static const std::vector<std::string> formats = {"text", "json", "sarif", "junit", "github"};
  return formats;
}

void PrintFindings(const Findings& findings, const std::string& format, Environment& environment) {
  if (format == "json") return PrintJson(findings.diagnostics, environment.out);
  if (format == "sarif") return PrintSarif(findings, environment.out);
  if (format == "junit") return PrintJunit(findings, environment.out);
  if (format == "github") return PrintGithub(findings, environment.out);
  static_cast<void>(Report(environment, findings.diagnostics));
}

std::uint32_t CharacterColumn(const Source& source, std::uint32_t offset) {
  const Position position = source.PositionOf(offset);
  const std::string_view before = source.Line(position.line).substr(0, position.column - 1);
  // Bytes that go on with a character do not count.
  const auto characters = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  return static_cast<std::uint32_t>(characters) + 1;
}

}  // namespace march::cli
