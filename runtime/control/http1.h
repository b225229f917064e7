// A strict reader of HTTP/1.1 request heads (RFC 9112, RFC 9110). It refuses everything that two
// implementations could read in two ways, so that nothing in front of marchd can disagree with it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace march::control {

// A head, from the request line to the empty line, is at most so many bytes.
inline constexpr std::size_t kMaxHeadBytes = 16 * 1024;

struct Header {
  std::string name;  // as sent
  std::string value;
};

struct RequestHead {
  std::string method;
  std::string target;  // origin-form: "/..." with its query
  std::vector<Header> headers;
  std::uint64_t content_length = 0;
  bool expects_continue = false;
};

// Why a request is not served.
struct Refusal {
  int status = 400;
  std::string reason;  // lower case, no full stop
};

// Looks for the end of the head in what has arrived so far. Refuses as soon as no continuation
// could become a head: too long, or a line that does not end in CRLF.
struct Incomplete {};
std::variant<Incomplete, std::size_t, Refusal> FindHead(std::string_view bytes);

// `head` ends with its empty line, as FindHead measured it.
std::variant<RequestHead, Refusal> ParseHead(std::string_view head);

// ASCII letters only, as header names compare.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace march::control
