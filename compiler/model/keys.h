// The keys of the policy language, one table a map. The reader, the suggestions, the editor schema
// and its test all stand on these.
#pragma once

#include <string_view>
#include <vector>

namespace march::model {

struct Key {
  std::string_view name;
  bool required = false;
  std::string_view hint = {};  // what to write where a required key is missing
};

using KeyTable = std::vector<Key>;

const KeyTable& PolicyKeys();
const KeyTable& DefaultsKeys();
// Without those of attributes.h.
const KeyTable& ServiceKeys();
const KeyTable& MappingKeys();

inline constexpr std::string_view kApiVersion = "march/v1";
inline constexpr std::string_view kPolicyKind = "Policy";
inline constexpr std::string_view kPolicyTestKind = "PolicyTest";
inline constexpr std::string_view kOwnershipKind = "Ownership";

}  // namespace march::model
