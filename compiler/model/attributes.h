// The vocabulary of attributes, what a mapping or service asks for beyond its match, as data: the
// reader and the editor's schema stand on the same table. Words and limits follow their RFCs: DSCP
// (RFC 2474, 2597, 3246, 5865, 8622), TLS versions (RFC 5246, 8446), ALPN (RFC 7301), HTTP methods
// (RFC 9110), JWT claims (RFC 7519).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace march::model {

struct Member;

struct Form {
  enum class Kind {
    kText,
    kWord,          // one of `words`
    kNumber,        // from `least` to `most`
    kWordOrNumber,  // either
    kFlag,          // true or false
    kDuration,      // 250ms, 10s, 5m, 1h
    kHostname,      // or "*." before one
    kPath,          // begins with "/"; a "*" at its end stands for anything
    kUrl,           // https only
    kService,       // the name of a service of the policy
    kMap,           // of `members`
  };

  Kind kind = Kind::kText;
  bool list = false;  // a list of these, not empty
  std::vector<std::string_view> words;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  std::vector<Member> members;
  std::vector<std::string_view> one_of;  // at least one of these members must be given
};

struct Member {
  std::string_view name;
  Form form;
  bool required = false;
  std::string_view description = {};  // for the editor
  // What is meant where the member is not given; "" for nothing. Said or not is the same.
  std::string_view standard = {};
};

const std::vector<Member>& ServiceAttributes();
const std::vector<Member>& MappingAttributes();

}  // namespace march::model
