#include <string>

#include "base/suggest.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/yaml/quote.h"

namespace march::model {
namespace {

using yaml::Entry;
using yaml::Node;
using yaml::Quoted;

std::string KindHint(std::string_view kind) {
  constexpr std::string_view kElsewhere = "keep it outside the policy's directory: ";
  if (kind == "Runtime") {
    return std::string(kElsewhere) + "it is marchd's configuration, for marchd --config FILE";
  }
  if (kind == "PolicyTest") {
    return std::string(kElsewhere) + "tests are not part of what is enforced";
  }
  if (kind == "Ownership") {
    return std::string(kElsewhere) + "who may change what is not part of what is enforced";
  }
  const std::string near = DidYouMean(kind, {"Policy", "PolicyTest", "Ownership", "Runtime"});
  return near.empty() ? "write kind: Policy" : near;
}

// False if the document says it is something else than a policy this version can read.
bool CheckEnvelope(const Fields& fields, Diagnostics& out) {
  bool good = true;
  if (const Entry* const version = fields["apiVersion"]) {
    const auto text = ReadText(*version->value, "apiVersion", out);
    good &= text == kApiVersion;
    if (text && *text != kApiVersion) {
      out.push_back(MakeDiagnostic(Code::kUnknownVersion, version->value->range,
                                   "the apiVersion " + Quoted(*text) + " is not known here",
                                   "write " + std::string(kApiVersion)));
    }
  }
  if (const Entry* const kind = fields["kind"]) {
    const auto text = ReadText(*kind->value, "kind", out);
    good &= text == kPolicyKind;
    if (text && *text != kPolicyKind) {
      out.push_back(MakeDiagnostic(Code::kUnknownKind, kind->value->range,
                                   "a document of kind " + Quoted(*text) + " is not a policy",
                                   KindHint(*text)));
    }
  }
  return good;
}

// Reports an empty list where a reader could take it for "none" or for "any".
bool IsFilledList(const Entry& entry, std::string_view key, Diagnostics& out) {
  if (!IsList(*entry.value, key, out)) return false;
  if (!entry.value->sequence.empty()) return true;
  out.push_back(MakeDiagnostic(
      Code::kEmptyList, entry.value->range,
      "an empty list: does " + Quoted(key) + " mean none or any?",
      "remove " + Quoted(key) + " for any; a mapping that matches nothing is not needed"));
  return false;
}

std::optional<DraftMapping::Names> ReadNames(const Entry* entry, std::string_view key,
                                             Diagnostics& out) {
  if (entry == nullptr || !IsFilledList(*entry, key, out)) return std::nullopt;
  DraftMapping::Names names;
  names.reserve(entry->value->sequence.size());
  for (const auto& node : entry->value->sequence) {
    if (!IsScalar(*node, "a service name", out)) continue;
    names.push_back({node->scalar, node->range});
  }
  return names;
}

std::optional<std::vector<DraftMapping::Protocol>> ReadProtocols(const Entry* entry,
                                                                 Diagnostics& out) {
  if (entry == nullptr || !IsFilledList(*entry, "protocols", out)) return std::nullopt;
  std::vector<DraftMapping::Protocol> protocols;
  for (const auto& node : entry->value->sequence) {
    if (const auto protocol = ReadProtocol(*node, out)) protocols.push_back(*protocol);
  }
  return protocols;
}

// Values that are checked and then only for people to read.
void CheckTexts(const Fields& fields, std::initializer_list<std::string_view> keys,
                Diagnostics& out) {
  for (const std::string_view key : keys) {
    if (const Entry* const entry = fields[key]) (void)ReadText(*entry->value, key, out);
  }
}

DraftService ReadService(const Written<std::string_view>& name, const Node& node,
                         Diagnostics& out) {
  DraftService service{name, {}};
  if (!IsMap(node, "a service", "write { addresses: [...] }", out)) return service;
  const Fields fields(node, name.place, "a service", ServiceKeys(), out);
  CheckTexts(fields, {"collection", "owner", "comment"}, out);
  const Entry* const addresses = fields["addresses"];
  if (addresses == nullptr || !IsList(*addresses->value, "addresses", out)) return service;
  service.prefixes.reserve(addresses->value->sequence.size());
  for (const auto& address : addresses->value->sequence) {
    if (const auto prefix = ReadPrefix(*address, out)) service.prefixes.push_back(*prefix);
  }
  return service;
}

DraftMapping ReadMapping(const Written<std::string_view>& name, const Node& node,
                         Diagnostics& out) {
  DraftMapping mapping;
  mapping.name = name;
  if (!IsMap(node, "a mapping", "write { from: [...], to: [...] }, or {} to match everything", out))
    return mapping;
  const Fields fields(node, name.place, "a mapping", MappingKeys(), out);
  mapping.from = ReadNames(fields["from"], "from", out);
  mapping.to = ReadNames(fields["to"], "to", out);
  mapping.protocols = ReadProtocols(fields["protocols"], out);
  if (const Entry* const ports = fields["ports"]; ports && IsFilledList(*ports, "ports", out)) {
    mapping.ports.emplace();
    mapping.ports_place = ports->key->range;
    for (const auto& port : ports->value->sequence) ReadPorts(*port, *mapping.ports, out);
  }
  if (const Entry* const action = fields["action"]) {
    mapping.action = ReadAction(*action->value, out).value_or(mapping.action);
  }
  if (const Entry* const priority = fields["priority"]) {
    mapping.priority = ReadPriority(*priority->value, out).value_or(mapping.priority);
  }
  if (const Entry* const comment = fields["comment"]) {
    mapping.comment = ReadText(*comment->value, "comment", out).value_or(mapping.comment);
  }
  return mapping;
}

// Names to definitions: no key is known here, and what is given twice is for a check to say, which
// sees all files.
template <class Definition>
void ReadDefinitions(const Entry* entry, std::string_view key, std::string_view what,
                     Definition (*read)(const Written<std::string_view>&, const Node&,
                                        Diagnostics&),
                     std::vector<Definition>& definitions, Diagnostics& out) {
  if (entry == nullptr ||
      !IsMap(*entry->value, key, "write one \"NAME: { ... }\" a line, or remove the key", out))
    return;
  definitions.reserve(definitions.size() + entry->value->map.size());
  for (const Entry& definition : entry->value->map) {
    if (const auto name = ReadName(*definition.key, what, out)) {
      definitions.push_back(read(*name, *definition.value, out));
    }
  }
}

}  // namespace

void ReadDocument(const Node& document, Draft& draft, Diagnostics& out) {
  if (!IsMap(document, "a document", "a policy begins with apiVersion: march/v1 and kind: Policy",
             out))
    return;
  Diagnostics unknown;
  const Fields fields(document, document.range, "a policy document", PolicyKeys(), unknown);
  // The keys of a document of another kind or version are not this reader's business.
  if (!CheckEnvelope(fields, out)) return;
  out.insert(out.end(), unknown.begin(), unknown.end());
  if (fields["apiVersion"] == nullptr || fields["kind"] == nullptr) return;

  if (const Entry* const cluster = fields["cluster"]) {
    if (const auto name = ReadName(*cluster->value, "a cluster name", out)) {
      draft.clusters.push_back(*name);
    }
  }
  const Entry* const defaults = fields["defaults"];
  if (defaults != nullptr && IsMap(*defaults->value, "defaults", "write { action: deny }", out)) {
    const Fields values(*defaults->value, defaults->key->range, "defaults", DefaultsKeys(), out);
    if (const Entry* const action = values["action"]) {
      if (const auto word = ReadDefaultAction(*action->value, out)) {
        draft.default_actions.push_back({*word, action->value->range});
      }
    }
  }
  ReadDefinitions(fields["services"], "services", "a service name", ReadService, draft.services,
                  out);
  ReadDefinitions(fields["mappings"], "mappings", "a mapping name", ReadMapping, draft.mappings,
                  out);
}

}  // namespace march::model
