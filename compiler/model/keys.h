// The keys of the policy language, one table a map. The reader, the suggestions, the editor schema
// and its test all stand on these.
#pragma once

#include <string_view>
#include <vector>

namespace march::model {

struct Key {
  enum class Status {
    kOptional,
    kRequired,
    kNotYetEnforced,  // of the language, but this version could not keep what it promises
  };

  std::string_view name;
  Status status = Status::kOptional;
  std::string_view hint = {};  // what to write where a required key is missing
};

using KeyTable = std::vector<Key>;

const KeyTable& PolicyKeys();
const KeyTable& DefaultsKeys();
const KeyTable& ServiceKeys();
const KeyTable& MappingKeys();

inline constexpr std::string_view kApiVersion = "march/v1";
inline constexpr std::string_view kPolicyKind = "Policy";

}  // namespace march::model
