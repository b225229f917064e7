#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>

#include "compiler/yaml/document.h"
#include "compiler/yaml/syntax_error.h"
#include "compiler/yaml/text_check.h"
#include "compiler/yaml/tree_builder.h"

namespace march::yaml {
namespace {

// A reader of this many syntax errors in one file wants another tool first.
constexpr int kMaxSyntaxErrors = 20;

// Reads a text where it stands.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    // The base class has no read-only form; nothing is ever written.
    char* const begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

// Reads documents from `base` on up to a fault or the end; the fault, if there was one.
std::optional<Diagnostic> ReadDocuments(const Source& source, std::size_t base,
                                        const ParseLimits& limits, std::vector<NodePtr>& documents,
                                        Diagnostics& diagnostics) {
  TextBuffer buffer(source.text().substr(base));
  std::istream stream(&buffer);
  TreeBuilder builder(source, base, limits, diagnostics);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (NodePtr document = builder.TakeDocument()) documents.push_back(std::move(document));
    }
  } catch (const StopDocument& stop) {
    return stop.diagnostic;
  } catch (const YAML::Exception& error) {
    const std::size_t at = error.mark.pos < 0 ? 0 : static_cast<std::size_t>(error.mark.pos);
    return ExplainSyntaxError(error, source, std::min(base + at, source.text().size()), builder);
  }
  return std::nullopt;
}

// The next line, beginning behind `pos`, that begins a document; npos without one.
std::size_t NextDocument(std::string_view text, std::size_t pos) {
  const std::size_t at = text.find("\n---", pos);
  return at == std::string_view::npos ? at : at + 1;
}

}  // namespace

Outcome<std::vector<NodePtr>> ParseYaml(const Source& source, const ParseLimits& limits) {
  const std::string_view text = source.text();
  if (text.size() > limits.max_bytes) {
    return MakeDiagnostic(Code::kInputTooLarge, {&source, 0, 0},
                          "more than " + std::to_string(limits.max_bytes) + " bytes in one file",
                          "split the policy into several files");
  }
  if (auto fault = CheckText(source)) return *std::move(fault);

  std::vector<NodePtr> documents;
  Diagnostics diagnostics;
  std::size_t base = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (int errors = 0; errors < kMaxSyntaxErrors && base != std::string_view::npos; ++errors) {
    auto fault = ReadDocuments(source, base, limits, documents, diagnostics);
    if (!fault) break;
    base = NextDocument(text, std::max<std::size_t>(base + 1, fault->range.begin) - 1);
    diagnostics.push_back(*std::move(fault));
  }
  SortByPlace(diagnostics);
  return {std::move(documents), std::move(diagnostics)};
}

Outcome<PolicyDoc> ParsePolicyDoc(const SourceSet& sources, const ParseLimits& limits) {
  PolicyDoc doc;
  Diagnostics diagnostics;
  for (const auto& source : sources) {
    auto parsed = ParseYaml(*source, limits);
    diagnostics.insert(diagnostics.end(), parsed.diagnostics().begin(), parsed.diagnostics().end());
    if (!parsed) continue;
    doc.documents.insert(doc.documents.end(), std::make_move_iterator(parsed->begin()),
                         std::make_move_iterator(parsed->end()));
  }
  SortByPlace(diagnostics);
  return {std::move(doc), std::move(diagnostics)};
}

}  // namespace march::yaml
