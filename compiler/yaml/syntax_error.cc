#include "compiler/yaml/syntax_error.h"

#include <yaml-cpp/depthguard.h>

#include <string>
#include <string_view>

#include "compiler/yaml/quote.h"
#include "compiler/yaml/token.h"

namespace march::yaml {
namespace {

namespace theirs = YAML::ErrorMsg;

struct Wording {
  std::string_view theirs;
  std::string_view ours;
  std::string_view hint;
};

constexpr std::string_view kIndentHint =
    "check the indentation: the entries of one map or list begin in the same column";

const Wording kWordings[] = {
    {theirs::END_OF_MAP, "this does not line up with the entries above it", kIndentHint},
    {theirs::END_OF_SEQ, "this does not line up with the entries above it", kIndentHint},
    {theirs::MAP_VALUE, "a key and its \":\" cannot stand here",
     "check the line above: its key needs a space behind the \":\", and its value must end there"},
    {theirs::MAP_KEY, "a key cannot stand here", kIndentHint},
    {theirs::BLOCK_ENTRY, "a list entry cannot begin here",
     "begin each \"- \" on a line of its own; inside [ ] separate entries by commas"},
    {theirs::FLOW_END, "this bracket closes nothing", "remove it, or add the opening bracket"},
    {theirs::UNKNOWN_TOKEN, "a value cannot begin with this character", "put the value in quotes"},
    {theirs::DOC_IN_SCALAR, "a document marker inside a quoted value",
     "close the quotes before it"},
    {theirs::TAB_IN_INDENTATION, "a tab in the indentation", "indent with spaces"},
    {theirs::ALIAS_NOT_FOUND, "an alias without a name",
     "put the value in quotes if it is not an alias"},
    {theirs::ANCHOR_NOT_FOUND, "an anchor without a name",
     "put the value in quotes if it is not an anchor"},
    {theirs::CHAR_IN_ALIAS, "a character that alias names cannot have",
     "put the value in quotes if it is not an alias"},
    {theirs::CHAR_IN_ANCHOR, "a character that anchor names cannot have",
     "put the value in quotes if it is not an anchor"},
    {theirs::MULTIPLE_TAGS, "two tags on one value", "remove the tags"},
    {theirs::MULTIPLE_ANCHORS, "two anchors on one value", "keep one"},
    {theirs::ZERO_INDENT_IN_BLOCK, "a block text indented by 0", "give a number from 1 to 9"},
    {theirs::CHAR_IN_BLOCK, "something behind the | or > of a block text",
     "begin the text on the next line"},
    {theirs::INVALID_HEX, "an escape with a character that is no hexadecimal digit", ""},
    {theirs::TAG_WITH_NO_SUFFIX, "a tag without a name", "put the value in quotes"},
    {theirs::CHAR_IN_TAG_HANDLE, "a character that tags cannot have", "put the value in quotes"},
    {theirs::END_OF_VERBATIM_TAG, "a tag without its closing >", "put the value in quotes"},
    {theirs::YAML_DIRECTIVE_ARGS, "a %YAML directive takes one version", "remove the line"},
    {theirs::REPEATED_YAML_DIRECTIVE, "a second %YAML directive", "remove the line"},
    {theirs::YAML_MAJOR_VERSION, "a YAML version newer than 1.2", "remove the line"},
    {theirs::TAG_DIRECTIVE_ARGS, "a %TAG directive takes a handle and a prefix", "remove the line"},
    {theirs::REPEATED_TAG_DIRECTIVE, "a %TAG directive for a handle that has one",
     "remove the line"},
};

SourceRange RangeOf(const Source& source, Span span) {
  return {&source, static_cast<std::uint32_t>(span.begin), static_cast<std::uint32_t>(span.end)};
}

// The first tab among the white space that begins the line of `pos`; npos without one.
std::size_t IndentingTab(std::string_view text, std::size_t pos) {
  const std::size_t line_break = pos == 0 ? std::string_view::npos : text.rfind('\n', pos - 1);
  std::size_t i = line_break == std::string_view::npos ? 0 : line_break + 1;
  while (i < text.size() && text[i] == ' ') ++i;
  return i < text.size() && text[i] == '\t' ? i : std::string_view::npos;
}

// Whether the line of `pos` has a key and its ":" before `pos`.
bool HasKeyBefore(std::string_view text, std::size_t pos) {
  const std::size_t colon = text.substr(0, pos).rfind(": ");
  return colon != std::string_view::npos &&
         text.substr(colon, pos - colon).find('\n') == std::string_view::npos;
}

Diagnostic UnclosedCollection(const Source& source, std::size_t pos, const TreeBuilder& builder) {
  const SourceRange open = builder.OpenCollection();
  const bool list = open.valid() && source.text()[open.begin] == '[';
  const std::string brackets = list ? "[ ]" : "{ }";
  Diagnostic diagnostic =
      MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, WordAt(source.text(), pos)),
                     "expected \",\" or \"" + std::string(list ? "]" : "}") + "\" here",
                     "separate what stands in " + brackets + " by commas, and close it");
  if (open.valid()) diagnostic.WithNote(open, "opened here");
  return diagnostic;
}

Diagnostic UnknownAlias(const Source& source, std::size_t pos) {
  const Span word = WordAt(source.text(), pos);
  const std::string_view written = source.text().substr(word.begin, word.end - word.begin);
  return MakeDiagnostic(Code::kYamlUnknownAlias, RangeOf(source, word),
                        "no anchor for the alias " + Quoted(written),
                        "write " + Quoted(written) + " in quotes if it is not an alias");
}

}  // namespace

Diagnostic UnclosedQuote(const Source& source, std::size_t quote) {
  return MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, {quote, quote + 1}),
                        "a quoted value that is never closed",
                        std::string("add the closing ") + source.text()[quote]);
}

Diagnostic ExplainSyntaxError(const YAML::Exception& error, const Source& source, std::size_t pos,
                              const TreeBuilder& builder) {
  const std::string_view text = source.text();
  const std::string_view message = error.msg;
  if (dynamic_cast<const YAML::DeepRecursion*>(&error) != nullptr) {
    return MakeDiagnostic(Code::kYamlTooDeep, RangeOf(source, WordAt(text, pos)),
                          "collections nested too deeply");
  }
  if (message == theirs::UNKNOWN_ANCHOR) return UnknownAlias(source, pos);
  if (message == theirs::END_OF_SEQ_FLOW || message == theirs::END_OF_MAP_FLOW) {
    return UnclosedCollection(source, pos, builder);
  }
  if (message == theirs::EOF_IN_SCALAR || message == theirs::DOC_IN_SCALAR) {
    const std::size_t quote = FindOpenQuote(text, builder.last_end());
    if (quote != std::string_view::npos) return UnclosedQuote(source, quote);
  }
  const std::size_t tab = IndentingTab(text, pos);
  if (tab != std::string_view::npos) {
    return MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, {tab, tab + 1}),
                          "a tab in the indentation", "indent with spaces");
  }
  if (message == theirs::MAP_VALUE && HasKeyBefore(text, pos)) {
    return MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, {pos, pos + 1}),
                          "a second \":\" with a space behind it on this line",
                          "put the value in quotes");
  }
  if (message.starts_with(theirs::INVALID_ESCAPE)) {
    // The mark is behind the backslash and its letter.
    const std::size_t begin = pos >= 2 ? pos - 2 : 0;
    return MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, {begin, pos}),
                          "an escape that YAML does not know",
                          "write \\\\ for a backslash, or use single quotes");
  }
  if (message.starts_with(theirs::INVALID_UNICODE)) {
    return MakeDiagnostic(Code::kYamlSyntax, RangeOf(source, WordAt(text, pos)),
                          "an escape for something that is no character", "");
  }
  const SourceRange range = RangeOf(source, WordAt(text, pos));
  for (const Wording& wording : kWordings) {
    if (message == wording.theirs) {
      return MakeDiagnostic(Code::kYamlSyntax, range, std::string(wording.ours),
                            std::string(wording.hint));
    }
  }
  return MakeDiagnostic(Code::kYamlSyntax, range, std::string(message));
}

}  // namespace march::yaml
