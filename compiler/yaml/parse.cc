#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>

#include "base/parallel.h"
#include "compiler/yaml/document.h"
#include "compiler/yaml/syntax_error.h"
#include "compiler/yaml/text_check.h"
#include "compiler/yaml/token.h"
#include "compiler/yaml/tree_builder.h"

namespace march::yaml {
namespace {

// A reader of this many syntax errors in one file wants another tool first.
constexpr int kMaxSyntaxErrors = 20;

// Feeds the parser the text piece by piece. The parser reads ahead without bound while it cannot
// tell whether a collection is a key, at hundreds of bytes of memory for each byte of text; here is
// where that ends.
class TextBuffer final : public std::streambuf {
 public:
  TextBuffer(const Source& source, std::size_t base, const ParseLimits& limits,
             const TreeBuilder& builder)
      : source_(source), next_(base), limits_(limits), builder_(builder) {
    Show(builder.prefix());
  }

 private:
  static constexpr std::size_t kPiece = 4096;

  // The base class has no read-only form; nothing is ever written.
  void Show(std::string_view piece) {
    char* const begin = const_cast<char*>(piece.data());
    setg(begin, begin, begin + piece.size());
  }

  int_type underflow() override {
    const std::string_view text = source_.text();
    if (next_ == text.size()) return traits_type::eof();
    const std::size_t begin = std::min(builder_.last_end(), next_);
    if (next_ - begin > limits_.max_value_bytes) {
      const Span word = WordAt(text, SkipBlanks(text, begin));
      throw StopDocument{MakeDiagnostic(
          Code::kInputTooLarge,
          {&source_, static_cast<std::uint32_t>(word.begin), static_cast<std::uint32_t>(word.end)},
          "more than " + std::to_string(limits_.max_value_bytes) +
              " bytes without an end of what begins here",
          "close it, split it, or allow more: --limit value-bytes=N")};
    }
    const std::size_t size = std::min(kPiece, text.size() - next_);
    Show(text.substr(next_, size));
    next_ += size;
    return traits_type::to_int_type(*gptr());
  }

  const Source& source_;
  std::size_t next_;
  const ParseLimits& limits_;
  const TreeBuilder& builder_;
};

Diagnostic TooManyDocuments(const Node& first_over, const ParseLimits& limits) {
  return MakeDiagnostic(Code::kInputTooLarge, first_over.range,
                        "more than " + std::to_string(limits.max_documents) + " documents",
                        "split the policy, or allow more: --limit documents=N");
}

// Reads documents from `base` on up to a fault or the end; the fault, if there was one.
std::optional<Diagnostic> ReadDocuments(const Source& source, std::size_t base,
                                        const ParseLimits& limits, std::vector<NodePtr>& documents,
                                        Diagnostics& diagnostics) {
  TreeBuilder builder(source, base, limits, diagnostics);
  TextBuffer buffer(source, base, limits, builder);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      NodePtr document = builder.TakeDocument();
      if (!document) continue;
      if (documents.size() == limits.max_documents) return TooManyDocuments(*document, limits);
      documents.push_back(std::move(document));
    }
  } catch (const StopDocument& stop) {
    return stop.diagnostic;
  } catch (const YAML::Exception& error) {
    return ExplainSyntaxError(error, source, builder.OffsetOf(error.mark), builder);
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
                          "split it into several files, or allow more: --limit bytes=N");
  }
  if (auto fault = CheckText(source)) return *std::move(fault);

  std::vector<NodePtr> documents;
  Diagnostics diagnostics;
  std::size_t base = TextBegin(source);
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
  // Parsing is most of what validating a large policy takes, and files know nothing of each other.
  std::vector<Outcome<std::vector<NodePtr>>> parsed_sources(sources.size(), Diagnostics{});
  ForEachInParallel(sources.size(),
                    [&](std::size_t i) { parsed_sources[i] = ParseYaml(*sources[i], limits); });
  PolicyDoc doc;
  Diagnostics diagnostics;
  for (auto& parsed : parsed_sources) {
    diagnostics.insert(diagnostics.end(), parsed.diagnostics().begin(), parsed.diagnostics().end());
    if (!parsed) continue;
    if (parsed->size() > limits.max_documents - doc.documents.size()) {
      diagnostics.push_back(TooManyDocuments(*parsed->back(), limits));
      break;
    }
    doc.documents.insert(doc.documents.end(), std::make_move_iterator(parsed->begin()),
                         std::make_move_iterator(parsed->end()));
  }
  SortByPlace(diagnostics);
  return {std::move(doc), std::move(diagnostics)};
}

}  // namespace march::yaml
