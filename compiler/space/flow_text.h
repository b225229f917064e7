// What the readers of flows and of sets of flows share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/source.h"

namespace march::space {

// The words of a flow's text, and the first fault found in it.
class FlowText {
 public:
  explicit FlowText(const Source& text);

  const std::vector<std::string_view>& words() const { return words_; }
  std::string_view text() const { return text_.text(); }
  // Where the text ends: the place of what is missing.
  std::string_view End() const { return text().substr(text().size()); }

  // `PROTO SRC > DST`, whatever follows. False with a fault; `form` is the hint.
  bool CheckForm(std::string_view form);
  std::optional<std::uint8_t> ReadProtocol();
  // `N`, or `N/M` with a code.
  struct Type {
    std::uint8_t type = 0;
    std::optional<std::uint8_t> code;
  };
  std::optional<Type> ReadType(std::string_view word);

  // An address or name, and the port behind it, "" without one. False with a fault.
  struct Endpoint {
    std::string_view name;
    std::string_view port;
    bool bracketed = false;
  };
  bool SplitEndpoint(std::string_view word, Endpoint& end);

  // Keeps the fault at `part`, a view into the text. Returns false.
  bool Fail(std::string_view part, std::string message, std::string hint = {});
  Diagnostic TakeFault() { return std::move(*fault_); }

 private:
  bool SplitPort(std::string_view rest, Endpoint& end);

  const Source& text_;
  std::vector<std::string_view> words_;
  std::optional<Diagnostic> fault_;
};

}  // namespace march::space
