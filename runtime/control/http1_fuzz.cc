// The head parser, fed with arbitrary bytes: it must stay inside them, agree with itself about
// where a head ends, and hold what it promises about what it accepts.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "runtime/control/http1.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using march::control::EqualsIgnoringCase;
  using march::control::FindHead;
  using march::control::Header;
  using march::control::kMaxHeadBytes;
  using march::control::ParseHead;
  using march::control::RequestHead;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto found = FindHead(bytes);
  const auto* length = std::get_if<std::size_t>(&found);
  if (length == nullptr) {
    static_cast<void>(ParseHead(bytes));
    return 0;
  }
  if (*length > size || *length > kMaxHeadBytes) std::abort();
  const auto parsed = ParseHead(bytes.substr(0, *length));
  if (const auto* head = std::get_if<RequestHead>(&parsed)) {
    if (head->method.empty() || !head->target.starts_with('/')) std::abort();
    for (const Header& header : head->headers) {
      if (EqualsIgnoringCase(header.name, "transfer-encoding")) std::abort();
      if (header.value.find_first_of("\r\n") != std::string::npos) std::abort();
    }
  }
  return 0;
}
