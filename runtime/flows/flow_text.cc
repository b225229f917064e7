#include "runtime/flows/flow_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <utility>

#include "base/number.h"

namespace march::flows {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 5> kStates = {
    {{State::kNew, "new"},
     {State::kEstablished, "established"},
     {State::kClosing, "closing"},
     {State::kClosed, "closed"},
     {State::kCut, "cut"}}};

constexpr std::array<std::pair<std::uint8_t, std::string_view>, 5> kProtocols = {
    {{IPPROTO_TCP, "tcp"},
     {IPPROTO_UDP, "udp"},
     {IPPROTO_SCTP, "sctp"},
     {IPPROTO_ICMP, "icmp"},
     {IPPROTO_ICMPV6, "icmpv6"}}};

void PutBigEndian(std::uint64_t value, std::uint8_t* bytes, int count) {
  for (int i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (count - 1 - i)));
  }
}

}  // namespace

State StateOf(const march_flow& record) {
  const std::uint64_t state = MARCH_FLOW_STATE(record.judged);
  if ((state & MARCH_FLOW_CUT) != 0) return State::kCut;
  if ((state & MARCH_FLOW_RESET) != 0 || (state & MARCH_FLOW_FINS) == MARCH_FLOW_FINS) {
    return State::kClosed;
  }
  if ((state & MARCH_FLOW_FINS) != 0) return State::kClosing;
  return (state & MARCH_FLOW_ESTABLISHED) != 0 ? State::kEstablished : State::kNew;
}

std::string_view NameOf(State state) {
  for (const auto& [known, name] : kStates) {
    if (known == state) return name;
  }
  return "";
}

std::optional<State> ReadState(std::string_view name) {
  for (const auto& [state, known] : kStates) {
    if (known == name) return state;
  }
  return std::nullopt;
}

std::string_view NameOf(Ending ending) {
  switch (ending) {
    case Ending::kTimeout:
      return "timeout";
    case Ending::kFinished:
      return "finished";
    case Ending::kReset:
      return "reset";
    case Ending::kCut:
      return "cut";
    case Ending::kForbidden:
      break;
  }
  return "forbidden";
}

std::string ProtocolName(std::uint8_t protocol) {
  for (const auto& [number, name] : kProtocols) {
    if (number == protocol) return std::string(name);
  }
  return std::to_string(protocol);
}

std::optional<std::uint8_t> ReadProtocol(std::string_view text) {
  for (const auto& [number, name] : kProtocols) {
    if (name == text) return number;
  }
  return ReadNumber<std::uint8_t>(text);
}

std::string AddressText(std::uint64_t family, std::uint64_t hi, std::uint64_t lo) {
  std::array<std::uint8_t, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family == 4) {
    PutBigEndian(lo, bytes.data(), 4);
  } else {
    PutBigEndian(hi, bytes.data(), 8);
    PutBigEndian(lo, bytes.data() + 8, 8);
  }
  ::inet_ntop(family == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

}  // namespace march::flows
