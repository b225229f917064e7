// Source texts and places in them. Every scalar of a policy keeps its SourceRange through the whole
// compiler, so that a verdict can always be traced to a line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace march {

// A place as people count: lines and columns start at 1, columns are bytes.
struct Position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;

  friend bool operator==(const Position&, const Position&) = default;
};

// One immutable text and the name it is shown under. Texts are at most 4 GiB. Made with
// make_shared, it lives as long as a diagnostic that points into it.
class Source : public std::enable_shared_from_this<Source> {
 public:
  // `name` is how the user called the file and is for messages; `path_in_policy` is where it lies
  // below the policy's root, the same on every machine, and is for what gets written ("" for
  // `name`).
  Source(std::string name, std::string text, std::string path_in_policy = {});

  const std::string& name() const { return name_; }
  const std::string& path_in_policy() const { return path_in_policy_; }
  std::string_view text() const { return text_; }

  // The position of byte `offset`; an offset past the end is the position of the end.
  Position PositionOf(std::uint32_t offset) const;
  // The byte offset of a position; a position past the end of its line is the end of that line.
  std::uint32_t OffsetOf(Position position) const;
  // Line `number` (from 1) without its line break; empty past the last line.
  std::string_view Line(std::uint32_t number) const;

 private:
  std::string name_;
  std::string path_in_policy_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

// The bytes [begin, end) of a source. Does not own: the SourceSet it came from must outlive it.
// A default-constructed range means "no place" (command line, network).
struct SourceRange {
  const Source* source = nullptr;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool valid() const { return source != nullptr; }
  // "file:line:column", or "" without a place.
  std::string ToString() const;
  // "file:line" with the path below the policy's root, or "" without a place.
  std::string PolicyLine() const;

  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

// The texts of one policy. Copies share the texts; ranges stay valid while any copy lives.
using SourceSet = std::vector<std::shared_ptr<const Source>>;

}  // namespace march
