#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/version.h"
#include "bundle/bundle.h"
#include "cli/output/findings.h"

namespace march::cli {
namespace {

using nlohmann::json;

// A path as a relative reference (RFC 3986).
std::string UriOf(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri;
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kPlain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return uri;
}

json LocationOf(const SourceRange& range) {
  const Source& source = *range.source;
  json artifact = {{"uri", UriOf(source.name())}};
  if (!source.name().starts_with('/')) artifact["uriBaseId"] = "%SRCROOT%";
  return {{"physicalLocation",
           {{"artifactLocation", std::move(artifact)},
            {"region",
             {{"startLine", source.PositionOf(range.begin).line},
              {"startColumn", CharacterColumn(source, range.begin)},
              {"endLine", source.PositionOf(range.end).line},
              {"endColumn", CharacterColumn(source, range.end)}}}}}};
}

class Results {
 public:
  json Of(const Diagnostic& diagnostic) {
    std::string text = diagnostic.message;
    if (!diagnostic.hint.empty()) text += "\nhint: " + diagnostic.hint;
    const std::string id(InfoOf(diagnostic.code).id);
    json result = {{"ruleId", id},
                   {"level", diagnostic.severity() == Severity::kError ? "error" : "warning"},
                   {"message", {{"text", std::move(text)}}},
                   {"partialFingerprints", {{"marchctl/v1", FingerprintOf(diagnostic)}}}};
    if (diagnostic.range.valid()) result["locations"] = json::array({LocationOf(diagnostic.range)});
    json related = json::array();
    for (const Note& note : diagnostic.notes) {
      if (!note.range.valid()) continue;
      json location = LocationOf(note.range);
      location["message"] = {{"text", note.message}};
      location["id"] = related.size() + 1;
      related.push_back(std::move(location));
    }
    if (!related.empty()) result["relatedLocations"] = std::move(related);
    return result;
  }

 private:
  // Of what is said about which line of which file, whatever its number; the same said again is
  // told apart by counting.
  std::string FingerprintOf(const Diagnostic& diagnostic) {
    std::string identity(InfoOf(diagnostic.code).id);
    if (diagnostic.range.valid()) {
      const Source& source = *diagnostic.range.source;
      identity += "\n" + source.name() + "\n";
      identity += source.Line(source.PositionOf(diagnostic.range.begin).line);
    }
    identity += "\n" + diagnostic.message;
    return bundle::Sha256Hex(identity + "\n" + std::to_string(++seen_[identity]));
  }

  std::map<std::string, int> seen_;
};

}  // namespace

void PrintSarif(const Findings& findings, std::ostream& out) {
  json results = json::array();
  std::set<Code> codes;
  Results reader;
  for (const Diagnostic& diagnostic : findings.diagnostics) {
    codes.insert(diagnostic.code);
    results.push_back(reader.Of(diagnostic));
  }
  json rules = json::array();
  for (const Code code : codes) {
    const CodeInfo& info = InfoOf(code);
    rules.push_back(
        {{"id", info.id},
         {"shortDescription", {{"text", info.summary}}},
         {"help", {{"text", "See docs/diagnostics.md, section " + std::string(info.id) + "."}}},
         {"defaultConfiguration",
          {{"level", info.severity == Severity::kError ? "error" : "warning"}}}});
  }
  const json document = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
      {"version", "2.1.0"},
      {"runs",
       {{{"tool",
          {{"driver", {{"name", "marchctl"}, {"version", kVersion}, {"rules", std::move(rules)}}}}},
         {"columnKind", "unicodeCodePoints"},
         {"results", std::move(results)}}}}};
  out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

}  // namespace march::cli
