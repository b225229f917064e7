#include "compiler/space/flow.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/suggest.h"
#include "compiler/space/protocol.h"

namespace march::space {
namespace {

constexpr std::string_view kForm =
    "write PROTO SRC[:SPORT] > DST[:DPORT], as in: tcp 10.0.0.1:40000 > 10.0.0.2:443";

struct Endpoint {
  Address address;
  std::string_view port;  // empty without one
};

class FlowReader {
 public:
  explicit FlowReader(const Source& text) : text_(text) { Split(); }

  Outcome<Flow> Read() {
    Flow flow;
    if (!ReadForm() || !ReadProtocol(flow) || !ReadEnds(flow)) return std::move(*fault_);
    return flow;
  }

 private:
  void Split() {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::string_view text = text_.text();
    std::size_t end = 0;
    while (true) {
      const std::size_t begin = text.find_first_not_of(kBlanks, end);
      if (begin == std::string_view::npos) return;
      end = std::min(text.find_first_of(kBlanks, begin), text.size());
      words_.push_back(text.substr(begin, end - begin));
    }
  }

  // Keeps the fault at `part`, a view into the text.
  bool Fail(std::string_view part, std::string message, std::string hint = {}) {
    const auto begin = static_cast<std::uint32_t>(part.data() - text_.text().data());
    const auto size = static_cast<std::uint32_t>(part.size());
    fault_ = MakeDiagnostic(Code::kBadFlow, {&text_, begin, begin + size}, std::move(message),
                            std::move(hint));
    return false;
  }

  std::string_view End() const { return text_.text().substr(text_.text().size()); }

  bool ReadForm() {
    for (const std::string_view word : words_) {
      if (word.size() > 1 && word.find('>') != std::string_view::npos) {
        return Fail(word, "the > needs a space on both sides", std::string(kForm));
      }
    }
    if (words_.size() < 4) return Fail(End(), "the flow ends too early", std::string(kForm));
    if (words_[2] != ">") {
      return Fail(words_[2], "expected > between source and destination", std::string(kForm));
    }
    std::size_t next = 4;
    if (next < words_.size() && words_[next] == "type") {
      if (next + 1 >= words_.size()) return Fail(End(), "a number must follow the word type");
      if (!ParseNumber(words_[next + 1], 255)) {
        return Fail(words_[next + 1], "not an ICMP type", "write a number from 0 to 255");
      }
      type_ = words_[next];
      next += 2;
    }
    if (next < words_.size() && words_[next] == "fragment") {
      fragment_ = true;
      ++next;
    }
    if (next < words_.size()) {
      return Fail(words_[next], "nothing more can follow here",
                  "a flow may end in \"type N\" and in \"fragment\"");
    }
    return true;
  }

  bool ReadProtocol(Flow& flow) {
    const std::string_view word = words_[0];
    const auto protocol = ParseProtocol(word);
    if (!protocol) {
      std::string hint = DidYouMean(word, ProtocolNames());
      if (hint.empty()) hint = "write tcp, udp, sctp, icmp, icmpv6 or a number from 0 to 255";
      return Fail(word, "not a protocol", std::move(hint));
    }
    flow.protocol = *protocol;
    flow.later_fragment = fragment_;
    if (!type_.empty() && flow.protocol != kIcmp && flow.protocol != kIcmpv6) {
      return Fail(type_, "only icmp and icmpv6 have types");
    }
    return true;
  }

  bool ReadEnds(Flow& flow) {
    Endpoint source;
    Endpoint destination;
    if (!ReadEndpoint(words_[1], source) || !ReadEndpoint(words_[3], destination)) return false;
    if (source.address.family != destination.address.family) {
      return Fail(words_[3], "source and destination are of different address families");
    }
    flow.source = source.address;
    flow.destination = destination.address;
    const bool ports = HasPorts(flow.protocol) && !flow.later_fragment;
    if (ports && destination.port.empty()) {
      return Fail(words_[3], "the destination needs a port",
                  destination.address.family == Family::kV4
                      ? "write " + destination.address.ToString() + ":443"
                      : "write [" + destination.address.ToString() + "]:443");
    }
    if (ports) flow.source_port = kAnySourcePort;
    return ReadPort(source.port, flow, flow.source_port) &&
           ReadPort(destination.port, flow, flow.destination_port);
  }

  bool ReadEndpoint(std::string_view word, Endpoint& end) {
    std::string_view address = word;
    if (word.front() == '[') {
      const std::size_t close = word.find(']');
      if (close == std::string_view::npos) return Fail(word, "the bracket is never closed");
      address = word.substr(1, close - 1);
      if (!SplitPort(word.substr(close + 1), end)) return false;
      const auto parsed = Address::Parse(address);
      if (parsed && parsed->family == Family::kV4) {
        return Fail(word, "brackets are for IPv6 addresses", "write it without brackets");
      }
    } else if (std::count(word.begin(), word.end(), ':') == 1) {
      const std::size_t colon = word.find(':');
      address = word.substr(0, colon);
      if (!SplitPort(word.substr(colon), end)) return false;
    }
    const auto parsed = Address::Parse(address);
    if (!parsed) {
      return Fail(address.empty() ? word : address, "not an IP address",
                  "write an IPv4 address, or an IPv6 address in brackets if a port follows");
    }
    end.address = *parsed;
    return true;
  }

  // `rest` is what follows an address: nothing, or ":PORT".
  bool SplitPort(std::string_view rest, Endpoint& end) {
    if (rest.empty()) return true;
    if (rest.front() != ':') return Fail(rest, "expected \":\" and a port behind the address");
    if (rest.size() == 1) return Fail(rest, "a port must follow the \":\"");
    end.port = rest.substr(1);
    return true;
  }

  bool ReadPort(std::string_view text, const Flow& flow, std::uint16_t& port) {
    if (text.empty()) return true;
    if (!HasPorts(flow.protocol)) {
      return Fail(text, "protocol " + ProtocolName(flow.protocol) + " has no ports",
                  "remove the port");
    }
    if (flow.later_fragment) {
      return Fail(text, "a later fragment carries no ports", "remove the port");
    }
    const auto number = ParseNumber(text, 65535);
    if (!number) return Fail(text, "not a port", "write a number from 0 to 65535");
    port = static_cast<std::uint16_t>(*number);
    return true;
  }

  const Source& text_;
  std::vector<std::string_view> words_;
  std::string_view type_;  // the word, if it is there
  bool fragment_ = false;
  std::optional<Diagnostic> fault_;
};

std::string EndpointText(const Address& address, bool with_port, std::uint16_t port) {
  if (!with_port) return address.ToString();
  const std::string text =
      address.family == Family::kV6 ? "[" + address.ToString() + "]" : address.ToString();
  return text + ":" + std::to_string(port);
}

}  // namespace

std::uint16_t Flow::Detail() const {
  if (IsIcmp(protocol)) return static_cast<std::uint16_t>(icmp_type << 8 | icmp_code);
  return destination_port;
}

void Flow::SetDetail(std::uint16_t detail) {
  if (IsIcmp(protocol)) {
    icmp_type = static_cast<std::uint8_t>(detail >> 8);
    icmp_code = static_cast<std::uint8_t>(detail);
  } else {
    destination_port = detail;
  }
}

std::string Flow::ToString() const {
  const bool ports = HasPorts(protocol) && !later_fragment;
  return ProtocolName(protocol) + " " + EndpointText(source, ports, source_port) + " > " +
         EndpointText(destination, ports, destination_port) + (later_fragment ? " fragment" : "");
}

Outcome<Flow> ParseFlow(const Source& text) {
  return FlowReader(text).Read();
}

}  // namespace march::space
