#include "cli/live/event_filter.h"

#include <algorithm>
#include <vector>

#include "base/suggest.h"
#include "bundle/abi/verdict.h"
#include "bundle/mappings.h"

namespace march::cli {
namespace {

std::optional<space::Prefix> ReadPrefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = space::Address::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned bits = space::BitsOf(address->family);
  const auto length = slash == std::string::npos
                          ? std::optional<std::uint32_t>(bits)
                          : space::ParseNumber(std::string_view(text).substr(slash + 1), bits);
  if (!length) return std::nullopt;
  return space::Prefix::Of(*address, *length);
}

std::optional<model::PortRange> ReadPorts(const std::string& text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto first = space::ParseNumber(std::string_view(text).substr(0, dash), 0xFFFF);
  const auto last = dash == text.size()
                        ? first
                        : space::ParseNumber(std::string_view(text).substr(dash + 1), 0xFFFF);
  if (!first || !last || *first > *last) return std::nullopt;
  return model::PortRange{static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

bool IsIn(const std::optional<space::Prefix>& prefix,
          const std::optional<space::Address>& address) {
  if (!prefix) return true;
  return address && address->family == prefix->address.family &&
         prefix->First() <= address->value && address->value <= prefix->Last();
}

const std::vector<std::string_view>& Reasons() {
  static const std::vector<std::string_view> reasons = [] {
    std::vector<std::string_view> list = {"mapping"};
    for (std::uint32_t slot = 0; slot <= MARCH_SLOT_DEFAULT; ++slot) {
      const std::string_view name = bundle::SlotName(slot);
      if (!name.empty()) list.push_back(name);
    }
    return list;
  }();
  return reasons;
}

void AddPrefix(CLI::App& verb, const std::string& flag, std::optional<space::Prefix>& prefix) {
  verb.add_option_function<std::string>(
          flag,
          [&prefix](const std::string& text) {
            prefix = ReadPrefix(text);
            if (!prefix)
              throw CLI::ValidationError("\"" + text + "\" is neither address nor prefix");
          },
          "Only events of packets " + std::string(flag == "--source" ? "from" : "to") +
              " this address or prefix")
      ->type_name("PREFIX");
}

}  // namespace

bool EventFilter::Wants(const std::string& type) const {
  if (!drops && !allows && !flows) return type != "flow";
  return type == "drop" ? drops : type == "allow" ? allows : flows;
}

bool EventFilter::Matches(const Event& event, const LivePolicy* policy) const {
  if (!Wants(event.type)) return false;
  if (!mapping.empty() && event.mapping != mapping) return false;
  if (!reason.empty() && event.reason != reason) return false;
  if (!IsIn(source, event.source) || !IsIn(destination, event.destination)) return false;
  if (port && (!event.destination_port || *event.destination_port < port->first ||
               *event.destination_port > port->last)) {
    return false;
  }
  if (service.empty()) return true;
  const model::Service* named =
      policy != nullptr ? model::FindService(policy->policy(), service) : nullptr;
  return named != nullptr && ((event.source && named->addresses.Contains(*event.source)) ||
                              (event.destination && named->addresses.Contains(*event.destination)));
}

void AddFilterOptions(CLI::App& verb, EventFilter& filter) {
  verb.add_flag("--drops", filter.drops, "Only packets that were dropped");
  verb.add_flag("--allows", filter.allows, "Only packets that began a connection");
  verb.add_flag("--flows", filter.flows, "Only connections that have ended");
  verb.add_option("--mapping", filter.mapping, "Only what this mapping decided")->type_name("NAME");
  verb.add_option("--service", filter.service, "Only what comes from or goes to this service")
      ->type_name("NAME");
  AddPrefix(verb, "--source", filter.source);
  AddPrefix(verb, "--destination", filter.destination);
  verb.add_option_function<std::string>(
          "--port",
          [&filter](const std::string& text) {
            filter.port = ReadPorts(text);
            if (!filter.port) throw CLI::ValidationError("\"" + text + "\" is no port or range");
          },
          "Only packets to this port, or to one of a range: 8000-8100")
      ->type_name("PORT");
  verb.add_option("--reason", filter.reason,
                  "Only what was decided for this reason: default, mapping, truncated, ...")
      ->type_name("NAME")
      ->check([](const std::string& name) {
        const auto& known = Reasons();
        if (std::find(known.begin(), known.end(), name) != known.end()) return std::string();
        const std::string hint = DidYouMean(name, known);
        return "there is no reason \"" + name + "\"" + (hint.empty() ? "" : "; " + hint);
      });
}

}  // namespace march::cli
