#include "base/source.h"

#include <algorithm>
#include <utility>

namespace march {

Source::Source(std::string name, std::string text, std::string path_in_policy)
    : name_(std::move(name)),
      path_in_policy_(path_in_policy.empty() ? name_ : std::move(path_in_policy)),
      text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
  }
}

Position Source::PositionOf(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<std::uint32_t>(next - line_starts_.begin());
  return {line, offset - line_starts_[line - 1] + 1};
}

std::uint32_t Source::OffsetOf(Position position) const {
  if (position.line == 0 || position.line > line_starts_.size()) {
    return static_cast<std::uint32_t>(text_.size());
  }
  const std::uint32_t start = line_starts_[position.line - 1];
  const auto length = static_cast<std::uint32_t>(Line(position.line).size());
  return start + std::min(position.column - 1, length);
}

std::string_view Source::Line(std::uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  const std::size_t begin = line_starts_[number - 1];
  std::size_t end = number < line_starts_.size() ? line_starts_[number] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

std::string SourceRange::ToString() const {
  if (!valid()) return {};
  const Position at = source->PositionOf(begin);
  return source->name() + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::string SourceRange::PolicyLine() const {
  if (!valid()) return {};
  return source->path_in_policy() + ":" + std::to_string(source->PositionOf(begin).line);
}

}  // namespace march
