#include "compiler/space/flow_text.h"

#include <algorithm>
#include <utility>

#include "base/suggest.h"
#include "compiler/space/protocol.h"

namespace march::space {

FlowText::FlowText(const Source& text) : text_(text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string_view all = text_.text();
  std::size_t end = 0;
  while (true) {
    const std::size_t begin = all.find_first_not_of(kBlanks, end);
    if (begin == std::string_view::npos) return;
    end = std::min(all.find_first_of(kBlanks, begin), all.size());
    words_.push_back(all.substr(begin, end - begin));
  }
}

bool FlowText::Fail(std::string_view part, std::string message, std::string hint) {
  const auto begin = static_cast<std::uint32_t>(part.data() - text().data());
  const auto size = static_cast<std::uint32_t>(part.size());
  fault_ = MakeDiagnostic(Code::kBadFlow, {&text_, begin, begin + size}, std::move(message),
                          std::move(hint));
  return false;
}

bool FlowText::CheckForm(std::string_view form) {
  for (const std::string_view word : words_) {
    if (word.size() > 1 && word.find('>') != std::string_view::npos) {
      return Fail(word, "the > needs a space on both sides", std::string(form));
    }
  }
  if (words_.size() < 4) return Fail(End(), "the flow ends too early", std::string(form));
  if (words_[2] != ">") {
    return Fail(words_[2], "expected > between source and destination", std::string(form));
  }
  return true;
}

std::optional<std::uint8_t> FlowText::ReadProtocol() {
  const std::string_view word = words_[0];
  if (const auto protocol = ParseProtocol(word)) return protocol;
  std::string hint = DidYouMean(word, ProtocolNames());
  if (hint.empty()) hint = "write tcp, udp, sctp, icmp, icmpv6 or a number from 0 to 255";
  Fail(word, "not a protocol", std::move(hint));
  return std::nullopt;
}

std::optional<FlowText::Type> FlowText::ReadType(std::string_view word) {
  const std::size_t slash = std::min(word.find('/'), word.size());
  const auto type = ParseNumber(word.substr(0, slash), 255);
  const auto code = slash < word.size() ? ParseNumber(word.substr(slash + 1), 255)
                                        : std::optional<std::uint32_t>();
  if (!type || (slash < word.size() && !code)) {
    Fail(word, "not an ICMP type", "write a number from 0 to 255, or TYPE/CODE: 3/4");
    return std::nullopt;
  }
  Type result{static_cast<std::uint8_t>(*type), std::nullopt};
  if (code) result.code = static_cast<std::uint8_t>(*code);
  return result;
}

bool FlowText::SplitEndpoint(std::string_view word, Endpoint& end) {
  end.name = word;
  if (word.front() == '[') {
    const std::size_t close = word.find(']');
    if (close == std::string_view::npos) return Fail(word, "the bracket is never closed");
    end.name = word.substr(1, close - 1);
    end.bracketed = true;
    return SplitPort(word.substr(close + 1), end);
  }
  if (std::count(word.begin(), word.end(), ':') == 1) {
    const std::size_t colon = word.find(':');
    end.name = word.substr(0, colon);
    return SplitPort(word.substr(colon), end);
  }
  return true;
}

// `rest` is what follows an address: nothing, or ":PORT".
bool FlowText::SplitPort(std::string_view rest, Endpoint& end) {
  if (rest.empty()) return true;
  if (rest.front() != ':') return Fail(rest, "expected \":\" and a port behind the address");
  if (rest.size() == 1) return Fail(rest, "a port must follow the \":\"");
  end.port = rest.substr(1);
  return true;
}

}  // namespace march::space
