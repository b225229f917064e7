#include "compiler/ruleset/flow_set.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/suggest.h"
#include "bundle/abi/tables.h"
#include "compiler/space/flow_text.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::ruleset {
namespace {

using space::AddressSet;
using space::Family;
using space::FlowText;
using space::L4Set;
using space::PortSet;

constexpr std::string_view kForm =
    "write PROTO SRC[:PORTS] > DST[:PORTS], as in: tcp payments > any:443";
constexpr std::string_view kAny = "any";
constexpr std::uint32_t kLastPort = 0xFFFF;

class Reader {
 public:
  Reader(const Source& text, const model::Policy& policy)
      : text_(text), words_(text_.words()), policy_(policy) {}

  Outcome<space::PacketSet> Read() {
    if (!text_.CheckForm(kForm) || !ReadProtocol() || !ReadRest() ||
        !ReadEnd(words_[1], source_, source_ports_) || !ReadEnd(words_[3], destination_, ports_)) {
      return text_.TakeFault();
    }
    space::PacketSet set = space::PacketSet::Of(source_, destination_, Keys(),
                                                source_ports_.value_or(space::EveryPort()));
    if (set.empty()) {
      text_.Fail(words_[3], "no packet goes between these ends",
                 "give both ends addresses of one family");
      return text_.TakeFault();
    }
    return set;
  }

 private:
  bool ReadProtocol() {
    if (words_[0] == kAny) return true;
    const auto protocol = text_.ReadProtocol();
    if (protocol) protocols_ = {*protocol};
    return protocol.has_value();
  }

  bool ReadRest() {
    if (words_.size() == 4) return true;
    if (words_[4] != "type") {
      return text_.Fail(words_[4], "nothing more can follow here",
                        "a set of flows may end in \"type N\"");
    }
    if (words_.size() == 5) return text_.Fail(text_.End(), "a number must follow the word type");
    type_ = text_.ReadType(words_[5]);
    if (!type_) return false;
    if (!protocols_.empty() && !space::IsIcmp(protocols_.front())) {
      return text_.Fail(words_[4], "only icmp and icmpv6 have types");
    }
    if (protocols_.empty()) protocols_ = {space::kIcmp, space::kIcmpv6};
    if (words_.size() > 6) return text_.Fail(words_[6], "nothing more can follow here");
    return true;
  }

  bool ReadEnd(std::string_view word, AddressSet& addresses, std::optional<PortSet>& ports) {
    FlowText::Endpoint end;
    if (!text_.SplitEndpoint(word, end)) return false;
    return ReadAddresses(word, end, addresses) && ReadPorts(end.port, ports);
  }

  bool ReadAddresses(std::string_view word, const FlowText::Endpoint& end, AddressSet& addresses) {
    if (end.name == kAny) {
      addresses = AddressSet::Everything();
      return true;
    }
    const std::size_t slash = std::min(end.name.find('/'), end.name.size());
    if (const auto address = space::Address::Parse(end.name.substr(0, slash))) {
      std::uint32_t length = space::BitsOf(address->family);
      if (slash < end.name.size()) {
        const auto given = space::ParseNumber(end.name.substr(slash + 1), length);
        if (!given)
          return text_.Fail(end.name, "the length of the prefix is not a number in range");
        length = *given;
      }
      const space::Prefix prefix = space::Prefix::Of(*address, length);
      if (prefix.address != *address) {
        return text_.Fail(end.name, "bits are set behind the length of the prefix",
                          "write " + prefix.ToString());
      }
      addresses = AddressSet::Of({prefix});
      return true;
    }
    return ReadService(end.name.empty() ? word : end.name, addresses);
  }

  bool ReadService(std::string_view name, AddressSet& addresses) {
    if (const model::Service* const service = FindService(policy_, name)) {
      addresses = service->addresses;
      return true;
    }
    std::vector<std::string_view> names = {kAny};
    for (const model::Service& known : policy_.services) names.push_back(known.name);
    std::string hint = DidYouMean(name, names);
    if (hint.empty()) hint = "write an address, a prefix, the name of a service, or any";
    return text_.Fail(name, "neither an address nor a service", std::move(hint));
  }

  bool ReadPorts(std::string_view text, std::optional<PortSet>& ports) {
    if (text.empty() || text == kAny) return true;
    if (!protocols_.empty() && !space::HasPorts(protocols_.front())) {
      return text_.Fail(text,
                        "protocol " + space::ProtocolName(protocols_.front()) + " has no ports",
                        "remove the port");
    }
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = space::ParseNumber(text.substr(0, dash), kLastPort);
    const auto last =
        dash < text.size() ? space::ParseNumber(text.substr(dash + 1), kLastPort) : first;
    if (!first || !last || *first > *last) {
      return text_.Fail(text, "not a port or range of ports",
                        "write a number from 0 to 65535, or a range: 8000-8100");
    }
    ports = PortSet({{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)}});
    return true;
  }

  L4Set Keys() {
    if (protocols_.empty() && (ports_ || source_ports_)) {
      protocols_ = {space::kTcp, space::kUdp, space::kSctp};
    }
    if (protocols_.empty()) return space::EveryL4();
    std::vector<space::Interval<std::uint32_t>> keys;
    for (const std::uint8_t protocol : protocols_) {
      std::uint32_t first = 0;
      std::uint32_t last = kLastPort;
      if (ports_) {
        first = ports_->intervals().front().first;
        last = ports_->intervals().front().last;
      } else if (type_) {
        first = MARCH_ICMP_PORT(type_->type, type_->code.value_or(0));
        last = MARCH_ICMP_PORT(type_->type, type_->code.value_or(0xFF));
      }
      keys.push_back({MARCH_L4_KEY(protocol, first), MARCH_L4_KEY(protocol, last)});
    }
    return L4Set(std::move(keys));
  }

  FlowText text_;
  const std::vector<std::string_view>& words_;
  const model::Policy& policy_;
  std::vector<std::uint8_t> protocols_;  // empty: any
  std::optional<FlowText::Type> type_;
  AddressSet source_;
  AddressSet destination_;
  std::optional<PortSet> source_ports_;
  std::optional<PortSet> ports_;
};

}  // namespace

Outcome<space::PacketSet> ParseFlowSet(const Source& text, const model::Policy& policy) {
  return Reader(text, policy).Read();
}

}  // namespace march::ruleset
