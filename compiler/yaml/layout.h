// A text of YAML as its author laid it out: tokens, comments and their places. What `fmt` works on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "base/source.h"

namespace march::yaml {

struct Piece {
  enum class Kind { kNull, kScalar, kAlias, kBlockMap, kFlowMap, kBlockList, kFlowList };

  Kind kind = Kind::kNull;
  std::string properties;  // "&anchor", "!!str &anchor"; "" for none
  std::string_view token;  // of a scalar with its quotes, of an alias with its "*"; "" for others
  // Of the whole, properties included. A null that is not written has begin == end.
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<Piece> children;  // of a map: key, value, key, value, ...

  bool is_map() const { return kind == Kind::kBlockMap || kind == Kind::kFlowMap; }
  bool is_block() const { return kind == Kind::kBlockMap || kind == Kind::kBlockList; }
  bool is_flow() const { return kind == Kind::kFlowMap || kind == Kind::kFlowList; }
};

struct Comment {
  std::size_t begin = 0;
  std::string_view text;  // from "#" on, without blanks at its end
  bool own_line = false;  // nothing but blanks before it
};

// Views point into the source's text.
struct LaidOut {
  std::string_view text;  // without a byte order mark; offsets count from here
  struct Document {
    Piece root;
    std::size_t marker = 0;  // where its "---" is; the beginning of its text without one
    bool has_marker = false;
  };
  std::vector<Document> documents;
  std::vector<Comment> comments;  // in their order
  // What the parser told, in words and with the place: two texts have the same data, anchors,
  // aliases and tags exactly when the words agree.
  struct Event {
    std::string words;
    std::size_t at = 0;
  };
  std::vector<Event> events;
};

// Errors: those of ParseYaml, and kYamlSyntax for what cannot be laid out anew: directives, complex
// keys ("?"), pairs in a list without braces, block scalars that give their indentation.
Outcome<LaidOut> ReadLayout(const Source& source);

}  // namespace march::yaml
