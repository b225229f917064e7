#include "runtime/control/flow_routes.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/number.h"
#include "runtime/control/query.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/filter.h"
#include "runtime/flows/flow_text.h"
#include "runtime/telemetry/statistics.h"

namespace march::control {
namespace {

using Json = nlohmann::ordered_json;
using flows::Flow;
using flows::Tick;

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMostLimit = 10'000;

enum class Order { kBytes, kPackets, kAge };

struct Asked {
  flows::Filter filter;
  std::size_t limit = kDefaultLimit;
  Order order = Order::kBytes;
};

// "" or what is wrong with the value.
std::string ReadOne(std::string_view name, const std::string& value, bool is_list, Asked& asked) {
  flows::Filter& filter = asked.filter;
  if (name == "source" || name == "destination") {
    auto& prefix = name == "source" ? filter.source : filter.destination;
    prefix = flows::Prefix::Parse(value);
    return prefix ? "" : "is no prefix, such as 10.0.0.0/8 or 2001:db8::1";
  }
  if (name == "port") {
    filter.port = ReadNumber<std::uint16_t>(value);
    return filter.port ? "" : "is no port";
  }
  if (name == "protocol") {
    filter.protocol = flows::ReadProtocol(value);
    return filter.protocol ? "" : "is none of tcp, udp, sctp, icmp, icmpv6 and 0 to 255";
  }
  if (name == "state") {
    filter.state = flows::ReadState(value);
    return filter.state ? "" : "is none of " + std::string(flows::kStateNames);
  }
  if (name == "mapping") {
    filter.mapping = value;
    return value.empty() ? "is no name of a mapping" : "";
  }
  if (name == "limit" && is_list) {
    asked.limit = ReadNumber<std::size_t>(value).value_or(0);
    return asked.limit >= 1 && asked.limit <= kMostLimit
               ? ""
               : "is no number from 1 to " + std::to_string(kMostLimit);
  }
  if (name == "sort" && is_list) {
    constexpr std::array<std::pair<std::string_view, Order>, 3> kOrders = {
        {{"bytes", Order::kBytes}, {"packets", Order::kPackets}, {"age", Order::kAge}}};
    for (const auto& [word, order] : kOrders) {
      if (word == value) {
        asked.order = order;
        return "";
      }
    }
    return "is none of bytes, packets, age";
  }
  return "is not known here";
}

std::variant<Asked, Refusal> ReadAsked(std::string_view target, bool is_list) {
  auto query = ParseQuery(target);
  if (auto* refusal = std::get_if<Refusal>(&query)) return std::move(*refusal);
  Asked asked;
  for (const auto& [name, value] : std::get<Query>(query)) {
    const std::string fault = ReadOne(name, value, is_list, asked);
    if (!fault.empty()) return Refusal{400, name + "=" + value + " " + fault};
  }
  return asked;
}

Response JsonAnswer(const Json& json) {
  return {200, "application/json", json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          ""};
}

Json Seconds(std::chrono::milliseconds duration) {
  const std::int64_t tenths = duration.count() / 100;
  return static_cast<double>(tenths) / 10;
}

void PutEnds(const march_flow& record, Json& json) {
  const std::uint64_t family = MARCH_FLOW_FAMILY(record.l4);
  const std::uint64_t kind = MARCH_FLOW_KIND(record.l4);
  const std::uint64_t source = MARCH_FLOW_SOURCE_PORT(record.l4);
  const std::uint64_t destination = MARCH_FLOW_DESTINATION_PORT(record.l4);
  json["protocol"] = flows::ProtocolName(static_cast<std::uint8_t>(MARCH_FLOW_PROTOCOL(record.l4)));
  json["family"] = family;
  json["source"] = flows::AddressText(family, record.src_hi, record.src_lo);
  json["destination"] = flows::AddressText(family, record.dst_hi, record.dst_lo);
  if (kind == MARCH_KIND_PORTS) {
    json["source_port"] = source;
    json["destination_port"] = destination;
  } else if (kind == MARCH_KIND_FRAGMENTS) {
    json["fragments_of"] = destination << 16 | source;
  } else {
    json["icmp_type"] = kind & 0xFF;
    json["icmp_identifier"] = source;
  }
}

void PutDecision(const flows::Decision& decision, Json& json) {
  json["decided_by"] = NameOf(decision.by);
  if (decision.by == flows::DecidedBy::kMapping) json["mapping"] = decision.mapping;
}

// The name of an interface, or its number if it is gone.
std::string InterfaceName(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  if (::if_indextoname(index, name.data()) == nullptr) return std::to_string(index);
  return name.data();
}

Json FlowJson(const Flow& flow, const flows::FlowTable& table, Tick now,
              flows::MappingNames& names) {
  const march_flow& record = flow.record;
  Json json;
  PutEnds(record, json);
  json["state"] = NameOf(flows::StateOf(record));
  PutDecision(names.Find(record.judged), json);
  json["generation"] = MARCH_FLOW_GENERATION(record.judged);
  json["interface"] = InterfaceName(record.ifindex);
  json["age_s"] = Seconds(flows::Since(record.begun, now));
  json["idle_s"] = Seconds(flows::Since(table.LastSeen(flow), now));
  json["expires_s"] = Seconds(flows::Since(now, static_cast<Tick>(MARCH_FLOW_DEADLINE(flow.word))));
  flows::PutCounts(record, json);
  return json;
}

// More comes first.
std::uint64_t Weight(const march_flow& record, Order order) {
  switch (order) {
    case Order::kBytes:
      return flows::CountsOf(record).bytes;
    case Order::kPackets:
      return flows::CountsOf(record).packets;
    case Order::kAge:
      break;
  }
  return ~record.begun;
}

struct IsBefore {
  Order order;
  bool operator()(const Flow& a, const Flow& b) const {
    return Weight(a.record, order) > Weight(b.record, order);
  }
};

// Those that come first, without ever keeping many more than `limit` of them.
class Foremost {
 public:
  Foremost(std::size_t limit, Order order) : limit_(limit), order_(order) {}

  void Add(const Flow& flow) {
    flows_.push_back(flow);
    if (flows_.size() >= 2 * limit_) Cull();
  }
  std::vector<Flow> Take() {
    Cull();
    std::stable_sort(flows_.begin(), flows_.end(), IsBefore{order_});
    return std::move(flows_);
  }

 private:
  void Cull() {
    if (flows_.size() <= limit_) return;
    const auto border = flows_.begin() + static_cast<std::ptrdiff_t>(limit_);
    std::nth_element(flows_.begin(), border, flows_.end(), IsBefore{order_});
    flows_.erase(border, flows_.end());
  }

  std::size_t limit_;
  Order order_;
  std::vector<Flow> flows_;
};

Response List(const Asked& asked, const flows::FlowTable& table, flows::MappingNames& names) {
  const Tick now = flows::CurrentTick();
  std::uint64_t matched = 0;
  Foremost foremost(asked.limit, asked.order);
  table.Walk(now, [&](const Flow& flow) {
    if (!asked.filter.Matches(flow.record, names)) return;
    ++matched;
    foremost.Add(flow);
  });
  Json json = {{"format_version", 1}, {"matched", matched}, {"flows", Json::array()}};
  for (const Flow& flow : foremost.Take()) {
    json["flows"].push_back(FlowJson(flow, table, now, names));
  }
  return JsonAnswer(json);
}

Response Cut(const Asked& asked, flows::FlowTable& table, flows::MappingNames& names) {
  if (asked.filter.IsEmpty()) {
    return ErrorResponse(400, "", "request", "nothing says which connections to cut",
                         "source=0.0.0.0/0 cuts all of IPv4, source=::/0 all of IPv6");
  }
  const std::uint64_t cut = table.CutAll(flows::CurrentTick(), [&](const march_flow& record) {
    return asked.filter.Matches(record, names);
  });
  return JsonAnswer({{"format_version", 1}, {"cut", cut}});
}

struct Sum {
  std::uint64_t flows = 0;
  flows::Counts counts;

  void Add(const march_flow& record) {
    flows += 1;
    counts = counts + flows::CountsOf(record);
  }
};

Json Summed(Json item, const Sum& sum) {
  item["flows"] = sum.flows;
  item["packets"] = sum.counts.packets;
  item["bytes"] = sum.counts.bytes;
  return item;
}

Response Summary(const Asked& asked, const flows::FlowKeeper& keeper, const flows::FlowTable& table,
                 flows::MappingNames& names) {
  const Tick now = flows::CurrentTick();
  Sum all;
  std::map<std::uint64_t, Sum> families;
  std::map<std::uint8_t, Sum> protocols;
  std::map<flows::State, Sum> states;
  // By what judged them, without their state.
  std::map<std::uint64_t, Sum> decisions;
  table.Walk(now, [&](const Flow& flow) {
    const march_flow& record = flow.record;
    if (!asked.filter.Matches(record, names)) return;
    all.Add(record);
    families[MARCH_FLOW_FAMILY(record.l4)].Add(record);
    protocols[static_cast<std::uint8_t>(MARCH_FLOW_PROTOCOL(record.l4))].Add(record);
    states[flows::StateOf(record)].Add(record);
    decisions[record.judged >> 8].Add(record);
  });
  // One name may have been judged by several generations.
  std::map<std::pair<flows::DecidedBy, std::string>, Sum> mappings;
  for (const auto& [judged, sum] : decisions) {
    flows::Decision decision = names.Find(judged << 8);
    Sum& of_name = mappings[{decision.by, std::move(decision.mapping)}];
    of_name.flows += sum.flows;
    of_name.counts = of_name.counts + sum.counts;
  }
  Json json = Summed({{"format_version", 1}}, all);
  for (const char* list : {"families", "protocols", "states", "mappings"}) {
    json[list] = Json::array();
  }
  for (const auto& [family, sum] : families) {
    json["families"].push_back(Summed({{"family", family}}, sum));
  }
  for (const auto& [protocol, sum] : protocols) {
    json["protocols"].push_back(Summed({{"protocol", flows::ProtocolName(protocol)}}, sum));
  }
  for (const auto& [state, sum] : states) {
    json["states"].push_back(Summed({{"state", NameOf(state)}}, sum));
  }
  for (const auto& [decision, sum] : mappings) {
    Json item;
    PutDecision({decision.first, decision.second}, item);
    json["mappings"].push_back(Summed(std::move(item), sum));
  }
  telemetry::Snapshot snapshot;
  keeper.Describe(now, snapshot);
  json["flow_tables"] = FlowTablesJson(snapshot);
  json["statistics"] = StatisticsJson(snapshot);
  return JsonAnswer(json);
}

}  // namespace

Json FlowTablesJson(const telemetry::Snapshot& snapshot) {
  Json list = Json::array();
  for (const telemetry::FlowTableState& table : snapshot.flow_tables) {
    list.push_back({{"name", table.name},
                    {"flows", table.flows},
                    {"capacity", table.capacity},
                    {"full", table.is_full}});
  }
  return list;
}

Json StatisticsJson(const telemetry::Snapshot& snapshot) {
  Json object = Json::object();
  for (const telemetry::StatisticInfo& statistic : telemetry::Statistics()) {
    if (statistic.which >= snapshot.statistics.size()) continue;
    object[std::string(statistic.name)] = snapshot.statistics[statistic.which];
  }
  return object;
}

Response AnswerAboutFlows(std::string_view target, flows::FlowKeeper& keeper,
                          const flows::MappingsOf& mappings_of) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto asked = ReadAsked(target, path == "/v1/flows");
  if (const auto* refusal = std::get_if<Refusal>(&asked)) {
    return ErrorResponse(refusal->status, "", "request", refusal->reason);
  }
  flows::MappingNames names(mappings_of);
  const Asked& wanted = std::get<Asked>(asked);
  if (path == "/v1/flows/cut") return Cut(wanted, keeper.table(), names);
  if (path == "/v1/flows/summary") return Summary(wanted, keeper, keeper.table(), names);
  return List(wanted, keeper.table(), names);
}

}  // namespace march::control
