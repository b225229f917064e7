// The one way to read a map whose keys are known.
#pragma once

#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/model/keys.h"
#include "compiler/yaml/document.h"

namespace march::model {

// The entries of a map by key. Reading reports unknown, duplicate and missing keys; of duplicates
// the first counts.
class Fields {
 public:
  // `node` is a map; `place` stands for it in complaints about what is missing, and `what` is what
  // it is called there: "a service".
  Fields(const yaml::Node& node, SourceRange place, std::string_view what, const KeyTable& keys,
         Diagnostics& out);

  // The entry of a key of the table; null if it is not there.
  const yaml::Entry* operator[](std::string_view key) const;
  // Some key was not accepted; it may have been meant to say what seems to be missing.
  bool refused() const { return refused_; }

 private:
  void Take(const yaml::Entry& entry, std::string_view what, Diagnostics& out);

  const KeyTable& keys_;
  bool refused_ = false;
  std::vector<const yaml::Entry*> entries_;  // parallel to keys_
};

// Whether a document says `kind: KIND`.
bool IsDocumentOf(const yaml::Node& document, std::string_view kind);
// Reports an apiVersion that is not this program's; false then.
bool CheckVersion(const Fields& fields, Diagnostics& out);

// Report a node that is not a map, not a list, not a scalar. `what` begins the message: "services".
bool IsMap(const yaml::Node& node, std::string_view what, std::string_view hint, Diagnostics& out);
bool IsList(const yaml::Node& node, std::string_view what, Diagnostics& out);
bool IsScalar(const yaml::Node& node, std::string_view what, Diagnostics& out);
// Likewise, the value of a key that is not a list, or one that says nothing because it is empty.
bool IsNonEmptyList(const yaml::Entry& entry, std::string_view key, Diagnostics& out);

}  // namespace march::model
