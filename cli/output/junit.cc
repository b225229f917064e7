#include <map>
#include <string>

#include "base/print.h"
#include "cli/output/findings.h"
#include "cli/output/xml.h"

namespace march::cli {

void PrintJunit(const Findings& findings, std::ostream& out) {
  // By file; what has no place is the policy's.
  std::map<std::string, Diagnostics> by_file;
  for (const auto& source : findings.sources) by_file[source->name()];
  std::size_t failures = 0;
  for (const Diagnostic& diagnostic : findings.diagnostics) {
    Diagnostics& of_file =
        by_file[diagnostic.range.valid() ? diagnostic.range.source->name() : findings.policy];
    if (of_file.empty()) ++failures;
    of_file.push_back(diagnostic);
  }
  if (by_file.empty()) by_file[findings.policy];
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      << "<testsuite name=" << XmlAttribute("marchctl " + findings.verb) << " tests=\""
      << by_file.size() << "\" failures=\"" << failures << "\">\n";
  for (const auto& [file, diagnostics] : by_file) {
    out << "  <testcase name=" << XmlAttribute(file)
        << " classname=" << XmlAttribute(findings.verb);
    if (diagnostics.empty()) {
      out << "/>\n";
      continue;
    }
    const Diagnostic& first = diagnostics.front();
    out << ">\n    <failure type=" << XmlAttribute(InfoOf(first.code).id)
        << " message=" << XmlAttribute(first.message) << ">" << XmlText(TextOf(diagnostics))
        << "</failure>\n  </testcase>\n";
  }
  out << "</testsuite>\n";
}

}  // namespace march::cli
