#include "compiler/yaml/merge.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace march::yaml {
namespace {

bool IsMerge(const Entry& entry) {
  return entry.key->kind == Node::Kind::kScalar && !entry.key->quoted && entry.key->scalar == "<<";
}

class Merger {
 public:
  Merger(Node& map, Diagnostics& out) : map_(map), out_(out) {}

  void Run() {
    std::vector<Entry> written = std::exchange(map_.map, {});
    const Entry* merge = nullptr;
    for (Entry& entry : written) {
      if (!IsMerge(entry)) {
        if (entry.key->kind == Node::Kind::kScalar) known_.insert(entry.key->scalar);
        map_.map.push_back(std::move(entry));
      } else if (merge == nullptr) {
        merge = &entry;
      } else {
        out_.push_back(MakeDiagnostic(Code::kYamlBadMerge, entry.key->range,
                                      "a second merge key in one map",
                                      "merge a list: <<: [*first, *second]")
                           .WithNote(merge->key->range, "the first is here"));
      }
    }
    if (merge != nullptr) Merge(*merge->value);
  }

 private:
  void Merge(const Node& value) {
    if (value.kind == Node::Kind::kMap) return Take(value);
    const bool is_list = value.kind == Node::Kind::kSequence;
    if (!is_list) return Refuse(value);
    for (const NodePtr& entry : value.sequence) {
      if (entry->kind == Node::Kind::kMap) {
        Take(*entry);
      } else {
        Refuse(*entry);
      }
    }
  }

  void Take(const Node& merged) {
    for (const Entry& entry : merged.map) {
      if (entry.key->kind == Node::Kind::kScalar && !known_.insert(entry.key->scalar).second) {
        continue;
      }
      map_.map.push_back(entry);
    }
  }

  void Refuse(const Node& value) {
    out_.push_back(MakeDiagnostic(Code::kYamlBadMerge, value.range,
                                  "a merge key takes a map, or a list of maps",
                                  "write <<: *anchor, where &anchor stands before a map"));
  }

  Node& map_;
  Diagnostics& out_;
  std::set<std::string_view> known_;
};

}  // namespace

void ResolveMerges(Node& map, Diagnostics& out) {
  if (std::any_of(map.map.begin(), map.map.end(), IsMerge)) Merger(map, out).Run();
}

}  // namespace march::yaml
