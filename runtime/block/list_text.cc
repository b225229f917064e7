#include "runtime/block/list_text.h"

#include <algorithm>
#include <optional>

#include "base/number.h"

namespace march::block {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes the first line off `text`.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

Outcome<Entry> ReadEntry(std::string_view line, std::size_t comment_at) {
  Entry entry;
  if (comment_at != std::string_view::npos) {
    const std::string_view comment = Trim(line.substr(comment_at + 1));
    if (!IsComment(comment)) {
      return MakeDiagnostic(Code::kBadBlock, {}, "the comment is too long or not printable",
                            "a comment has at most " + std::to_string(kMaxCommentBytes) + " bytes");
    }
    entry.comment = comment;
  }
  auto prefix = ParsePrefix(Trim(line.substr(0, comment_at)));
  if (!prefix.ok()) return std::move(prefix).diagnostics();
  entry.prefix = *prefix;
  return entry;
}

// "PREFIX UNTIL COMMENT".
std::optional<Entry> ReadStoredLine(std::string_view line) {
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = std::min(line.find(' ', first + 1), line.size());
  const auto prefix = ParsePrefix(line.substr(0, first));
  const std::string_view number = line.substr(first + 1, second - first - 1);
  Entry entry;
  const auto until = ReadNumber<decltype(entry.until)>(number);
  if (!prefix.ok() || !until || *until < 0) return std::nullopt;
  entry.until = *until;
  entry.prefix = *prefix;
  if (second < line.size()) entry.comment = line.substr(second + 1);
  if (!IsComment(entry.comment)) return std::nullopt;
  return entry;
}

}  // namespace

bool IsComment(std::string_view text) {
  return text.size() <= kMaxCommentBytes && std::all_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x20 && byte != 0x7F;
         });
}

Outcome<std::vector<Entry>> ReadList(std::string_view text) {
  std::vector<Entry> entries;
  std::optional<Diagnostic> first_error;
  std::size_t errors = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = TakeLine(text);
    const std::size_t comment = line.find_first_of("#;");
    if (Trim(line.substr(0, comment)).empty()) continue;
    auto entry = ReadEntry(line, comment);
    if (entry.ok()) {
      entries.push_back(std::move(entry).value());
    } else if (errors++ == 0) {
      first_error = entry.diagnostics().front();
      first_error->message = "line " + std::to_string(number) + ": " + first_error->message;
    }
  }
  if (!first_error) return entries;
  if (errors > 1) {
    first_error->message += ", and " + std::to_string(errors - 1) + " more lines are wrong";
  }
  return *std::move(first_error);
}

std::string WriteStored(const std::vector<Entry>& entries) {
  std::string text;
  for (const Entry& entry : entries) {
    text += entry.prefix.ToString() + " " + std::to_string(entry.until);
    if (!entry.comment.empty()) text += " " + entry.comment;
    text += "\n";
  }
  return text;
}

Stored ReadStored(std::string_view text) {
  Stored stored;
  while (!text.empty()) {
    auto entry = ReadStoredLine(TakeLine(text));
    if (entry) {
      stored.entries.push_back(*std::move(entry));
    } else {
      ++stored.damaged;
    }
  }
  return stored;
}

}  // namespace march::block
