#include "bundle/mappings.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "bundle/abi/verdict.h"
#include "bundle/strict_json.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

using nlohmann::json;

constexpr int kMappingsVersion = 2;

constexpr std::string_view kAuditPrefix = "audit-";

bool IsAction(std::string_view word) {
  return word == "allow" || word == "deny" || word == "reject";
}

Outcome<MappingInfo> ReadMapping(const json& value, const std::string& where) {
  ObjectReader reader(value, where);
  MappingInfo mapping;
  mapping.name = reader.String("name");
  mapping.action = reader.String("action");
  reader.Require(IsAction(std::string_view(mapping.action)
                              .substr(IsAudit(mapping.action) ? kAuditPrefix.size() : 0)),
                 "action " + Quoted(mapping.action) + " is not known");
  mapping.limited = reader.Flag("limited");
  mapping.priority = reader.Int32("priority");
  mapping.place = reader.String("place");
  if (reader.Finish()) return *reader.problem();
  return mapping;
}

}  // namespace

std::uint32_t SlotsOf(const MappingTable& table) {
  const auto limited = std::count_if(table.mappings.begin(), table.mappings.end(),
                                     [](const MappingInfo& mapping) { return mapping.limited; });
  // More than fit are refused by whoever loads them.
  const std::size_t slots =
      MARCH_SLOT_FIRST_MAPPING + table.mappings.size() + static_cast<std::size_t>(limited);
  return static_cast<std::uint32_t>(std::min<std::size_t>(slots, UINT32_MAX));
}

bool IsAudit(std::string_view action) {
  return action.starts_with(kAuditPrefix);
}

// As DumpJson would; that way, a million mappings take seconds and a gigabyte.
std::string WriteMappings(const MappingTable& table) {
  std::string text = "{\n  \"default_action\": " + JsonString(table.default_action) +
                     ",\n  \"format_version\": " + std::to_string(kMappingsVersion) +
                     ",\n  \"mappings\": [";
  for (const MappingInfo& mapping : table.mappings) {
    text += &mapping == table.mappings.data() ? "\n" : ",\n";
    text += "    {\n      \"action\": ";
    text += JsonString(mapping.action);
    text += ",\n      \"limited\": ";
    text += mapping.limited ? "true" : "false";
    text += ",\n      \"name\": ";
    text += JsonString(mapping.name);
    text += ",\n      \"place\": ";
    text += JsonString(mapping.place);
    text += ",\n      \"priority\": ";
    text += std::to_string(mapping.priority);
    text += "\n    }";
  }
  text += table.mappings.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return text;
}

Outcome<MappingTable> ReadMappings(std::string_view text) {
  const std::string what = "mappings.json";
  const Outcome<json> document = ParseStrictJson(text, what);
  if (!document) return document.diagnostics();
  ObjectReader reader(*document, what);
  reader.Require(reader.Unsigned("format_version") == kMappingsVersion, "format_version is not 2");
  MappingTable table;
  table.default_action = reader.String("default_action");
  reader.Require(table.default_action == "allow" || table.default_action == "deny",
                 "default_action " + Quoted(table.default_action) + " is not known");
  const json& mappings = reader.Array("mappings");
  if (reader.Finish()) return *reader.problem();
  std::unordered_set<std::string> names;
  for (const json& value : mappings) {
    const std::string where = what + ": mappings[" + std::to_string(table.mappings.size()) + "]";
    Outcome<MappingInfo> mapping = ReadMapping(value, where);
    if (!mapping) return std::move(mapping).diagnostics();
    if (!names.insert(mapping->name).second) {
      return Malformed(where + ": " + Quoted(mapping->name) + " is there twice");
    }
    table.mappings.push_back(*std::move(mapping));
  }
  return table;
}

std::string_view SlotName(std::uint32_t slot) {
  switch (slot) {
    case MARCH_SLOT_INTERNAL:
      return "internal";
    case MARCH_SLOT_ARP:
      return "arp";
    case MARCH_SLOT_NEIGHBOUR:
      return "neighbour";
    case MARCH_SLOT_NOT_IP:
      return "not-ip";
    case MARCH_SLOT_VLAN_DEPTH:
      return "vlan-depth";
    case MARCH_SLOT_TRUNCATED:
      return "truncated";
    case MARCH_SLOT_MALFORMED:
      return "malformed";
    case MARCH_SLOT_EXTENSIONS:
      return "extensions";
    case MARCH_SLOT_SOURCE_ROUTE:
      return "source-route";
    case MARCH_SLOT_FRAGMENT:
      return "fragment";
    case MARCH_SLOT_LIMIT:
      return "limit";
    case MARCH_SLOT_CUT:
      return "cut";
    case MARCH_SLOT_BLOCKED:
      return "blocked";
    case MARCH_SLOT_LAND:
      return "land";
    case MARCH_SLOT_FLAGS:
      return "flags";
    case MARCH_SLOT_MARTIAN:
      return "martian";
    case MARCH_SLOT_SPOOFED:
      return "spoofed";
    case MARCH_SLOT_SYN_RATE:
      return "syn-rate";
    case MARCH_SLOT_FLOW_RATE:
      return "flow-rate";
    case MARCH_SLOT_ICMP_RATE:
      return "icmp-rate";
    case MARCH_SLOT_COOKIE:
      return "cookie";
    case MARCH_SLOT_DEFAULT:
      return "default";
    default:
      return "";
  }
}

std::string_view SlotMeaning(std::string_view name) {
  using Meaning = std::pair<std::string_view, std::string_view>;
  static constexpr std::array kMeanings = {
      Meaning{"internal", "a table of the program holds something impossible"},
      Meaning{"arp", "without it no address could be found on the link"},
      Meaning{"neighbour", "without it no address could be found on the link"},
      Meaning{"not-ip", "neither IPv4 nor IPv6"},
      Meaning{"vlan-depth", "more than two VLAN tags"},
      Meaning{"truncated", "it ends before the headers that decide"},
      Meaning{"malformed", "its headers contradict themselves"},
      Meaning{"extensions", "more IPv6 extension headers than are looked at"},
      Meaning{"source-route", "it asks for a way of its own, so its destination is not the last"},
      Meaning{"fragment", "a fragment without ports, which a mapping asks for"},
      Meaning{"limit", "above the limit of the mapping that allows it"},
      Meaning{"cut", "an operator has cut its connection"},
      Meaning{"blocked", "one of its addresses is on the block list"},
      Meaning{"land", "its source is its destination"},
      Meaning{"flags", "TCP flags that no honest packet has"},
      Meaning{"martian", "an address that no packet here can have"},
      Meaning{"spoofed", "its source is an address of the gateway's own"},
      Meaning{"syn-rate", "too many connections are begun from its source"},
      Meaning{"flow-rate", "too many new flows come from its source"},
      Meaning{"icmp-rate", "too much ICMP comes from its source"},
      Meaning{"cookie", "answered with a SYN cookie: its sender has to show that it is there"},
      Meaning{"default", "no mapping matches it"},
  };
  const auto* const found =
      std::find_if(kMeanings.begin(), kMeanings.end(),
                   [&](const Meaning& meaning) { return meaning.first == name; });
  return found == kMeanings.end() ? std::string_view() : found->second;
}

bool SlotPasses(std::uint32_t slot) {
  return slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR;
}

}  // namespace march::bundle
