// YAML as a small tree with places, read with libyaml: all that marchd's configuration needs.
#pragma once

#include <string>
#include <vector>

#include "base/outcome.h"
#include "base/source.h"

namespace march::daemon {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kScalar, kList, kMap };

  Kind kind = Kind::kScalar;
  SourceRange range;
  std::string scalar;
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map; keys are scalars, each once
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// One document without aliases, anchors, tags or merge keys, at most 16 deep and 1 MiB long. Ranges
// refer to `source`. Error: kBadConfig.
Outcome<YamlNode> ParseYaml(const Source& source);

}  // namespace march::daemon
