#include "bundle/mappings.h"

#include <unordered_set>

#include "bundle/abi/verdict.h"
#include "bundle/strict_json.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

using nlohmann::json;

constexpr int kMappingsVersion = 1;

constexpr std::string_view kAuditPrefix = "audit-";

bool IsAction(std::string_view word) {
  return word == "allow" || word == "deny";
}

Outcome<MappingInfo> ReadMapping(const json& value, const std::string& where) {
  ObjectReader reader(value, where);
  MappingInfo mapping;
  mapping.name = reader.String("name");
  mapping.action = reader.String("action");
  reader.Require(IsAction(std::string_view(mapping.action)
                              .substr(IsAudit(mapping.action) ? kAuditPrefix.size() : 0)),
                 "action " + Quoted(mapping.action) + " is not known");
  mapping.priority = reader.Int32("priority");
  mapping.place = reader.String("place");
  if (reader.Finish()) return *reader.problem();
  return mapping;
}

}  // namespace

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
  reader.Require(reader.Unsigned("format_version") == kMappingsVersion, "format_version is not 1");
  MappingTable table;
  table.default_action = reader.String("default_action");
  reader.Require(IsAction(table.default_action),
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
    case MARCH_SLOT_DEFAULT:
      return "default";
    default:
      return "";
  }
}

bool SlotPasses(std::uint32_t slot) {
  return slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR;
}

}  // namespace march::bundle
