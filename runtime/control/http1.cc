#include "runtime/control/http1.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/number.h"

namespace march::control {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// tchar, RFC 9110 section 5.6.2.
bool IsTokenChar(char c) {
  return IsDigit(c) || (ToLower(c) >= 'a' && ToLower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar);
}

// Visible ASCII; a target has no blanks, and bytes beyond ASCII must come percent-encoded.
bool IsVisible(char c) {
  return c > 0x20 && c < 0x7F;
}

// field-vchar, blank or tab; obs-text is left out, no header that marchd reads needs it.
bool IsFieldChar(char c) {
  return IsVisible(c) || c == ' ' || c == '\t';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<Refusal> ParseRequestLine(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos || line.find(' ', second + 1) != line.npos) {
    return Refusal{400, "the request line is not METHOD TARGET VERSION"};
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!IsToken(method)) return Refusal{400, "the method is not a token"};
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return Refusal{400, "the version is not HTTP/1.1"};
  }
  if (version != "HTTP/1.1") return Refusal{505, "only HTTP/1.1 is spoken here"};
  if (!target.starts_with('/')) return Refusal{400, "the target does not start with /"};
  if (!std::all_of(target.begin(), target.end(), IsVisible) || target.find('#') != target.npos) {
    return Refusal{400, "the target has a character that targets may not have"};
  }
  head.method = method;
  head.target = target;
  return std::nullopt;
}

std::optional<Refusal> ParseHeader(std::string_view line, RequestHead& head) {
  if (line.front() == ' ' || line.front() == '\t') {
    return Refusal{400, "a header continues on a second line"};
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return Refusal{400, "a header has no colon"};
  if (!IsToken(line.substr(0, colon))) return Refusal{400, "a header's name is not a token"};
  const std::string_view value = Trim(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), IsFieldChar)) {
    return Refusal{400, "a header's value has a character that values may not have"};
  }
  head.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return std::nullopt;
}

// What the headers mean for the framing of the request.
std::optional<Refusal> Interpret(RequestHead& head) {
  int hosts = 0;
  int lengths = 0;
  for (const Header& header : head.headers) {
    if (EqualsIgnoringCase(header.name, "host")) {
      ++hosts;
    } else if (EqualsIgnoringCase(header.name, "transfer-encoding")) {
      return Refusal{501, "transfer encodings are not supported; send a Content-Length"};
    } else if (EqualsIgnoringCase(header.name, "upgrade")) {
      return Refusal{501, "upgrades are not supported"};
    } else if (EqualsIgnoringCase(header.name, "expect")) {
      if (!EqualsIgnoringCase(header.value, "100-continue")) {
        return Refusal{417, "the only expectation supported is 100-continue"};
      }
      head.expects_continue = true;
    } else if (EqualsIgnoringCase(header.name, "content-length")) {
      ++lengths;
      const auto length = ReadNumber<decltype(head.content_length)>(header.value);
      if (!length) return Refusal{400, "the Content-Length is not a number"};
      head.content_length = *length;
    }
  }
  if (hosts == 0) return Refusal{400, "the Host header is missing"};
  if (hosts > 1) return Refusal{400, "there is more than one Host header"};
  if (lengths > 1) return Refusal{400, "there is more than one Content-Length header"};
  return std::nullopt;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ToLower(x) == ToLower(y); });
}

std::variant<Incomplete, std::size_t, Refusal> FindHead(std::string_view bytes) {
  const std::string_view window = bytes.substr(0, kMaxHeadBytes);
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    if (window[i] == '\n') {
      if (i == 0 || window[i - 1] != '\r') return Refusal{400, "a line does not end in CRLF"};
      if (i - 1 == line_start) {
        if (line_start == 0) return Refusal{400, "the request starts with an empty line"};
        return i + 1;
      }
      line_start = i + 1;
    } else if (i > 0 && window[i - 1] == '\r') {
      return Refusal{400, "a line does not end in CRLF"};
    }
  }
  if (bytes.size() >= kMaxHeadBytes) {
    return Refusal{431, "the head is larger than " + std::to_string(kMaxHeadBytes) + " bytes"};
  }
  return Incomplete{};
}

std::variant<RequestHead, Refusal> ParseHead(std::string_view bytes) {
  RequestHead head;
  bool is_first = true;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find(kLineEnd);
    if (end == bytes.npos) return Refusal{400, "a line does not end in CRLF"};
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + kLineEnd.size());
    if (is_first) {
      if (auto refusal = ParseRequestLine(line, head)) return *std::move(refusal);
      is_first = false;
    } else if (line.empty()) {
      if (!bytes.empty()) return Refusal{400, "the head goes on after its empty line"};
      if (auto refusal = Interpret(head)) return *std::move(refusal);
      return head;
    } else if (auto refusal = ParseHeader(line, head)) {
      return *std::move(refusal);
    }
  }
  return Refusal{400, "the head has no end"};
}

}  // namespace march::control
