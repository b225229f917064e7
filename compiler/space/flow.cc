#include "compiler/space/flow.h"

#include <string_view>
#include <vector>

#include "compiler/space/flow_text.h"
#include "compiler/space/protocol.h"

namespace march::space {
namespace {

constexpr std::string_view kForm =
    "write PROTO SRC[:SPORT] > DST[:DPORT], as in: tcp 10.0.0.1:40000 > 10.0.0.2:443";

class FlowReader {
 public:
  explicit FlowReader(const Source& text) : text_(text), words_(text_.words()) {}

  Outcome<Flow> Read() {
    Flow flow;
    if (!text_.CheckForm(kForm) || !ReadRest() || !ReadProtocol(flow) || !ReadEnds(flow)) {
      return text_.TakeFault();
    }
    return flow;
  }

 private:
  bool ReadRest() {
    std::size_t next = 4;
    if (next < words_.size() && words_[next] == "type") {
      if (next + 1 >= words_.size()) {
        return text_.Fail(text_.End(), "a number must follow the word type");
      }
      type_ = text_.ReadType(words_[next + 1]);
      if (!type_) return false;
      type_word_ = words_[next];
      next += 2;
    }
    if (next < words_.size() && words_[next] == "fragment") {
      fragment_ = true;
      ++next;
    }
    if (next < words_.size()) {
      return text_.Fail(words_[next], "nothing more can follow here",
                        "a flow may end in \"type N\" and in \"fragment\"");
    }
    return true;
  }

  bool ReadProtocol(Flow& flow) {
    const auto protocol = text_.ReadProtocol();
    if (!protocol) return false;
    flow.protocol = *protocol;
    flow.later_fragment = fragment_;
    if (type_ && !IsIcmp(flow.protocol)) {
      return text_.Fail(type_word_, "only icmp and icmpv6 have types");
    }
    if (type_ && fragment_) return text_.Fail(type_word_, "a later fragment carries no type");
    if (IsIcmp(flow.protocol) && !fragment_) {
      flow.icmp_type = type_ ? type_->type : EchoRequest(flow.protocol);
      flow.icmp_code = type_ ? type_->code.value_or(0) : std::uint8_t{0};
    }
    return true;
  }

  bool ReadEnds(Flow& flow) {
    FlowText::Endpoint source;
    FlowText::Endpoint destination;
    if (!ReadEndpoint(words_[1], source, flow.source) ||
        !ReadEndpoint(words_[3], destination, flow.destination)) {
      return false;
    }
    if (flow.source.family != flow.destination.family) {
      return text_.Fail(words_[3], "source and destination are of different address families");
    }
    const bool ports = HasPorts(flow.protocol) && !flow.later_fragment;
    if (ports && destination.port.empty()) {
      const std::string address = flow.destination.ToString();
      return text_.Fail(words_[3], "the destination needs a port",
                        flow.destination.family == Family::kV4 ? "write " + address + ":443"
                                                               : "write [" + address + "]:443");
    }
    if (ports) flow.source_port = kAnySourcePort;
    return ReadPort(source.port, flow, flow.source_port) &&
           ReadPort(destination.port, flow, flow.destination_port);
  }

  bool ReadEndpoint(std::string_view word, FlowText::Endpoint& end, Address& address) {
    if (!text_.SplitEndpoint(word, end)) return false;
    const auto parsed = Address::Parse(end.name);
    if (!parsed) {
      return text_.Fail(end.name.empty() ? word : end.name, "not an IP address",
                        "write an IPv4 address, or an IPv6 address in brackets if a port follows");
    }
    if (end.bracketed && parsed->family == Family::kV4) {
      return text_.Fail(word, "brackets are for IPv6 addresses", "write it without brackets");
    }
    address = *parsed;
    return true;
  }

  bool ReadPort(std::string_view text, const Flow& flow, std::uint16_t& port) {
    if (text.empty()) return true;
    if (!HasPorts(flow.protocol)) {
      return text_.Fail(text, "protocol " + ProtocolName(flow.protocol) + " has no ports",
                        "remove the port");
    }
    if (flow.later_fragment) {
      return text_.Fail(text, "a later fragment carries no ports", "remove the port");
    }
    const auto number = ParseNumber(text, 65535);
    if (!number) return text_.Fail(text, "not a port", "write a number from 0 to 65535");
    port = static_cast<std::uint16_t>(*number);
    return true;
  }

  FlowText text_;
  const std::vector<std::string_view>& words_;
  std::optional<FlowText::Type> type_;
  std::string_view type_word_;
  bool fragment_ = false;
};

std::string TypeText(const Flow& flow) {
  if (!IsIcmp(flow.protocol) || flow.later_fragment) return "";
  if (flow.icmp_type == EchoRequest(flow.protocol) && flow.icmp_code == 0) return "";
  const std::string type = " type " + std::to_string(flow.icmp_type);
  return flow.icmp_code == 0 ? type : type + "/" + std::to_string(flow.icmp_code);
}

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
         EndpointText(destination, ports, destination_port) + TypeText(*this) +
         (later_fragment ? " fragment" : "");
}

Outcome<Flow> ParseFlow(const Source& text) {
  return FlowReader(text).Read();
}

}  // namespace march::space
