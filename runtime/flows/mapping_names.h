// Which mapping a flow belongs to, by name: a flow knows the generation that judged it last and the
// slot there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "bundle/abi/flow.h"
#include "bundle/mappings.h"

namespace march::flows {

enum class DecidedBy {
  kMapping,
  kDefault,  // no mapping matched
  kUnknown,  // the bundle of that generation is no longer stored
};
std::string_view NameOf(DecidedBy by);  // "mapping", "default", "unknown"

struct Decision {
  DecidedBy by = DecidedBy::kUnknown;
  std::string mapping;  // "" unless it is one
};

// The mappings of a generation by slot; null if its bundle is no longer stored.
using MappingsOf = std::function<const bundle::MappingTable*(std::uint64_t generation)>;

// For the time of one answer: asks for each generation once.
class MappingNames {
 public:
  explicit MappingNames(MappingsOf mappings_of) : mappings_of_(std::move(mappings_of)) {}

  Decision Find(std::uint64_t judged);
  // Whether the mapping of this name decided; "(default)" names the default.
  bool IsDecidedBy(std::uint64_t judged, const std::string& name);

 private:
  const bundle::MappingTable* TableOf(std::uint64_t generation);

  MappingsOf mappings_of_;
  std::unordered_map<std::uint64_t, const bundle::MappingTable*> tables_;
};

}  // namespace march::flows
