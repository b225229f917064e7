// Diagnostics as data for other tools. One format, one file; all from the one model.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "cli/environment.h"

namespace march::cli {

// What a verb that checks policies can print: text, json, sarif, junit, github.
const std::vector<std::string>& FindingFormats();

struct Findings {
  std::string verb;    // "validate"
  std::string policy;  // as the user called it
  const SourceSet& sources;
  const Diagnostics& diagnostics;
};

// Text goes to the error stream, as everywhere; every other format is data.
void PrintFindings(const Findings& findings, const std::string& format, Environment& environment);

// SARIF 2.1.0 (OASIS), with fingerprints that survive changes of other lines.
void PrintSarif(const Findings& findings, std::ostream& out);
// JUnit XML: one test case a file.
void PrintJunit(const Findings& findings, std::ostream& out);
// Workflow commands of GitHub Actions, which become annotations.
void PrintGithub(const Findings& findings, std::ostream& out);

// The column of a byte offset in characters (Unicode code points) from 1, as editors count.
std::uint32_t CharacterColumn(const Source& source, std::uint32_t offset);

}  // namespace march::cli
