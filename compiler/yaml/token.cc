#include "compiler/yaml/token.h"

#include <algorithm>

namespace march::yaml {
namespace {

constexpr std::string_view kFlowIndicators = ",[]{}";

bool IsFlowIndicator(char c) {
  return kFlowIndicators.find(c) != std::string_view::npos;
}

// Behind the closing quote; npos if there is none.
std::size_t QuotedEnd(std::string_view text, std::size_t pos) {
  const char quote = text[pos];
  for (std::size_t i = pos + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return std::string_view::npos;
}

// Behind the last character of `value` when its words stand in the text from `pos` on: folding
// changes only the white space between them.
std::size_t FoldedEnd(std::string_view text, std::size_t pos, std::string_view value) {
  std::size_t end = pos;
  for (const char c : value) {
    if (IsBlank(c)) continue;
    while (pos < text.size() && IsBlank(text[pos])) ++pos;
    if (pos >= text.size() || text[pos] != c) break;
    end = ++pos;
  }
  return end;
}

}  // namespace

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t SkipBlanks(std::string_view text, std::size_t pos) {
  while (pos < text.size()) {
    if (IsBlank(text[pos])) {
      ++pos;
    } else if (text[pos] == '#' && (pos == 0 || IsBlank(text[pos - 1]))) {
      pos = std::min(text.find('\n', pos), text.size());
    } else {
      break;
    }
  }
  return pos;
}

std::size_t SkipProperties(std::string_view text, std::size_t pos) {
  while (pos < text.size() && (text[pos] == '&' || text[pos] == '!')) {
    if (text.substr(pos).starts_with("!<")) {
      pos = std::min(text.find('>', pos), text.size() - 1) + 1;
    } else {
      while (pos < text.size() && !IsBlank(text[pos]) && !IsFlowIndicator(text[pos])) ++pos;
    }
    pos = SkipBlanks(text, pos);
  }
  return pos;
}

Span ScalarAt(std::string_view text, std::size_t pos, std::string_view value) {
  pos = std::min(pos, text.size());
  const std::size_t begin = SkipProperties(text, pos);
  const char first = begin < text.size() ? text[begin] : '\0';
  if (first == '"' || first == '\'') {
    return {begin, QuotedEnd(text, begin)};
  }
  if (first == '|' || first == '>') {
    const std::size_t header_end = std::min(text.find('\n', begin), text.size());
    return {begin, std::max(begin + 1, FoldedEnd(text, header_end, value))};
  }
  if (value.empty()) return WordAt(text, pos);
  return {begin, FoldedEnd(text, begin, value)};
}

std::optional<Span> NullWordAt(std::string_view text, std::size_t pos, bool key) {
  for (const std::string_view null : {"~", "null", "Null", "NULL"}) {
    if (!text.substr(std::min(pos, text.size())).starts_with(null)) continue;
    const std::size_t end = pos + null.size();
    std::size_t next = end;
    while (next < text.size() && (text[next] == ' ' || text[next] == '\t')) ++next;
    if (next < text.size() && text[next] == ':')
      return key ? std::optional(Span{pos, end}) : std::nullopt;
    if (end == text.size() || IsBlank(text[end]) || IsFlowIndicator(text[end])) {
      return Span{pos, end};
    }
  }
  return std::nullopt;
}

Span WordAt(std::string_view text, std::size_t pos) {
  if (pos >= text.size()) {
    // A fault at the end of the text is shown behind its last character.
    std::size_t end = text.size();
    while (end > 0 && IsBlank(text[end - 1])) --end;
    return {end == 0 ? 0 : end - 1, end};
  }
  std::size_t end = pos + 1;
  while (end < text.size() && !IsBlank(text[end]) && !IsFlowIndicator(text[end])) ++end;
  return {pos, end};
}

std::size_t FindOpenQuote(std::string_view text, std::size_t pos) {
  while ((pos = SkipBlanks(text, pos)) < text.size()) {
    if (text[pos] == '"' || text[pos] == '\'') {
      const std::size_t end = QuotedEnd(text, pos);
      if (end == std::string_view::npos) return pos;
      pos = end;
    } else if (IsFlowIndicator(text[pos])) {
      ++pos;
    } else {
      pos = WordAt(text, pos).end;
    }
  }
  return std::string_view::npos;
}

}  // namespace march::yaml
