// YAML as data with places: what the parser hands to the model. Nothing here knows the policy
// language.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/outcome.h"

namespace march::yaml {

struct Node;
// An alias and its anchor share one node; the tree is therefore a DAG and never a cycle.
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  NodePtr key;
  NodePtr value;
};

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  // A scalar's whole token, quotes included; a collection's first token.
  SourceRange range;
  std::string scalar;
  bool quoted = false;  // "5432" is a string, 5432 may be a number
  std::vector<NodePtr> sequence;
  std::vector<Entry> map;  // in the order written, then what was merged; duplicates are still there
};

struct ParseLimits {
  std::uint64_t max_bytes = std::uint64_t{64} << 20;       // of one source
  unsigned max_depth = 64;                                 // nested collections, aliases followed
  std::uint64_t max_value_bytes = std::uint64_t{1} << 20;  // read before a value's end is known
  std::uint64_t max_aliased_nodes = 10'000'000;            // that aliases stand for, in one source
  std::uint64_t max_documents = 1'000'000;                 // of all sources together
};

// The documents of one source, without empty ones. Errors: kYamlSyntax, kYamlTooDeep,
// kYamlUnknownAlias, kYamlNotUtf8, kYamlBadMerge, kInputTooLarge. Behind a fault, reading goes on
// at the next
// `---`.
Outcome<std::vector<NodePtr>> ParseYaml(const Source& source, const ParseLimits& limits = {});

// The documents of all sources of a policy.
struct PolicyDoc {
  std::vector<NodePtr> documents;
};

Outcome<PolicyDoc> ParsePolicyDoc(const SourceSet& sources, const ParseLimits& limits = {});

// For `--until doc --dump`: one line a node, indented, with its line and column.
std::string Dump(const PolicyDoc& doc);

}  // namespace march::yaml
