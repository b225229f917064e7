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
  if (kind == "Runtime") {
    return "keep it outside the policy's directory: it is marchd's configuration, for marchd "
           "--config FILE";
  }
  const std::string near =
      DidYouMean(kind, {kPolicyKind, kPolicyTestKind, kOwnershipKind, "Runtime"});
  return near.empty() ? "write kind: Policy" : near;
}

// False if the document says it is something else than a policy this version can read.
bool CheckEnvelope(const Fields& fields, Diagnostics& out) {
  bool good = CheckVersion(fields, out);
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

// Something that can be said, checked and explained, and not yet be enforced.
Diagnostic Unenforced(SourceRange place, const std::string& what, std::string hint = {}) {
  if (hint.empty()) hint = "remove it; a policy is never enforced in part";
  return MakeDiagnostic(Code::kNotYetEnforced, place,
                        what + " is part of the language, but this version cannot enforce it",
                        std::move(hint));
}

Names ScalarsOf(const Node& list, std::string_view what, Diagnostics& out) {
  Names names;
  names.reserve(list.sequence.size());
  for (const auto& node : list.sequence) {
    if (IsScalar(*node, what, out)) names.push_back({node->scalar, node->range});
  }
  return names;
}

std::optional<Names> ReadNames(const Entry* entry, std::string_view key, Diagnostics& out) {
  if (entry == nullptr || !IsFilledList(*entry, key, out)) return std::nullopt;
  return ScalarsOf(*entry->value, "a service name", out);
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

// A value for people to read.
std::string_view TextOr(const Fields& fields, std::string_view key, Diagnostics& out) {
  const Entry* const entry = fields[key];
  return entry == nullptr ? std::string_view() : ReadText(*entry->value, key, out).value_or("");
}

std::vector<space::Prefix> ReadPrefixes(const Entry* entry, std::string_view key,
                                        Diagnostics& out) {
  std::vector<space::Prefix> prefixes;
  if (entry == nullptr || !IsList(*entry->value, key, out)) return prefixes;
  prefixes.reserve(entry->value->sequence.size());
  for (const auto& address : entry->value->sequence) {
    if (const auto prefix = ReadPrefix(*address, out)) prefixes.push_back(*prefix);
  }
  return prefixes;
}

void ReadService(const Written<std::string_view>& name, const Node& node, Draft& draft,
                 Diagnostics& out) {
  DraftService& service = draft.services.emplace_back();
  service.name = name;
  if (!IsMap(node, "a service", "write { addresses: [...] }", out)) return;
  const Fields fields(node, name.place, "a service", ServiceKeys(), out);
  service.collection = TextOr(fields, "collection", out);
  service.owner = TextOr(fields, "owner", out);
  service.comment = TextOr(fields, "comment", out);
  service.prefixes = ReadPrefixes(fields["addresses"], "addresses", out);
  service.except = ReadPrefixes(fields["except"], "except", out);
  const Entry* const fqdns = fields["fqdns"];
  if (fqdns != nullptr && IsNonEmptyList(*fqdns, "fqdns", out)) {
    for (const auto& entry : fqdns->value->sequence) {
      if (auto host = ReadHostname(*entry, out)) service.fqdns.push_back(*std::move(host));
    }
    draft.unenforced.push_back(Unenforced(fqdns->key->range, Quoted("fqdns")));
  }
  const Entry* const members = fields["services"];
  if (members != nullptr && IsNonEmptyList(*members, "services", out)) {
    service.members = ScalarsOf(*members->value, "a service name", out);
  }
  if (fields["addresses"] == nullptr && fqdns == nullptr && members == nullptr &&
      !fields.refused()) {
    out.push_back(MakeDiagnostic(Code::kMissingKey, name.place,
                                 "a service needs addresses, fqdns or services",
                                 "write addresses: [], if it is to match nothing"));
  }
  Names none;
  service.attributes = ReadAttributes(fields, ServiceAttributes(), none, out);
  for (const Attribute& attribute : service.attributes) {
    draft.unenforced.push_back(Unenforced(attribute.place, Quoted(attribute.name)));
  }
}

std::optional<std::vector<PortRange>> ReadPortList(const Entry* entry, std::string_view key,
                                                   SourceRange& place, Diagnostics& out) {
  if (entry == nullptr || !IsFilledList(*entry, key, out)) return std::nullopt;
  place = entry->key->range;
  std::vector<PortRange> ports;
  for (const auto& port : entry->value->sequence) ReadPorts(*port, ports, out);
  return ports;
}

// What the packet must be.
void ReadMatch(const Fields& fields, DraftMapping& mapping, Diagnostics& out) {
  mapping.from = ReadNames(fields["from"], "from", out);
  mapping.to = ReadNames(fields["to"], "to", out);
  mapping.protocols = ReadProtocols(fields["protocols"], out);
  mapping.ports = ReadPortList(fields["ports"], "ports", mapping.ports_place, out);
  mapping.source_ports =
      ReadPortList(fields["source_ports"], "source_ports", mapping.source_ports_place, out);
  const Entry* const types = fields["icmp_types"];
  if (types == nullptr || !IsFilledList(*types, "icmp_types", out)) return;
  mapping.icmp_types_place = types->key->range;
  mapping.icmp_types.emplace();
  for (const auto& node : types->value->sequence) {
    if (const auto type = ReadIcmpType(*node, out)) mapping.icmp_types->push_back(*type);
  }
}

// What attributes say that the kernel does.
void ReadTreatment(DraftMapping& mapping) {
  for (const Attribute& attribute : mapping.attributes) {
    if (attribute.name == "stateful") mapping.stateful = attribute.value == "true";
    if (attribute.name == "limit") mapping.limit_place = attribute.place;
  }
  mapping.limit = LimitOf(mapping.attributes);
}

void NoteUnenforced(const DraftMapping& mapping, Diagnostics& unenforced) {
  const Action action = mapping.action.value;
  if (action == Action::kProxy || action == Action::kRedirect) {
    unenforced.push_back(
        Unenforced(mapping.action.place, "the action " + Quoted(ActionName(action))));
  }
  if (mapping.limit && mapping.limit->exceed == Limit::Exceed::kProxy) {
    unenforced.push_back(Unenforced(mapping.limit_place, "\"exceed: proxy\" of \"limit\"",
                                    "write exceed: drop, or exceed: mark"));
  }
  for (const Attribute& attribute : mapping.attributes) {
    if (attribute.name == "limit" || attribute.name == "stateful") continue;
    unenforced.push_back(Unenforced(attribute.place, Quoted(attribute.name)));
  }
}

void ReadMapping(const Written<std::string_view>& name, const Node& node, Draft& draft,
                 Diagnostics& out) {
  DraftMapping& mapping = draft.mappings.emplace_back();
  mapping.name = name;
  if (!IsMap(node, "a mapping", "write { from: [...], to: [...] }, or {} to match everything", out))
    return;
  const Fields fields(node, name.place, "a mapping", MappingKeys(), out);
  ReadMatch(fields, mapping, out);
  if (const Entry* const action = fields["action"]) {
    mapping.action = {ReadAction(*action->value, out).value_or(Action::kAllow),
                      action->value->range};
  }
  if (const Entry* const priority = fields["priority"]) {
    mapping.priority = ReadPriority(*priority->value, out).value_or(mapping.priority);
  }
  if (const Entry* const audit = fields["audit"]) {
    mapping.audit = ReadFlag(*audit->value, "audit", out).value_or(false);
  }
  mapping.comment = TextOr(fields, "comment", out);
  mapping.attributes = ReadAttributes(fields, MappingAttributes(), mapping.backends, out);
  ReadTreatment(mapping);
  NoteUnenforced(mapping, draft.unenforced);
}

// Names to definitions: no key is known here, and what is given twice is for a check to say, which
// sees all files.
void ReadDefinitions(const Entry* entry, std::string_view key, std::string_view what,
                     void (*read)(const Written<std::string_view>&, const Node&, Draft&,
                                  Diagnostics&),
                     Draft& draft, Diagnostics& out) {
  if (entry == nullptr ||
      !IsMap(*entry->value, key, "write one \"NAME: { ... }\" a line, or remove the key", out))
    return;
  for (const Entry& definition : entry->value->map) {
    if (const auto name = ReadName(*definition.key, what, out)) {
      read(*name, *definition.value, draft, out);
    }
  }
}

}  // namespace

void ReadDocument(const Node& document, Draft& draft, Diagnostics& out) {
  if (!IsMap(document, "a document", "a policy begins with apiVersion: march/v1 and kind: Policy",
             out))
    return;
  // Tests and ownership live beside the policy; other readers look at them.
  if (IsDocumentOf(document, kPolicyTestKind) || IsDocumentOf(document, kOwnershipKind)) {
    ++draft.others;
    return;
  }
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
    if (const Entry* const stateful = values["stateful"]) {
      if (const auto flag = ReadFlag(*stateful->value, "stateful", out)) {
        draft.default_stateful.push_back({*flag, stateful->value->range});
      }
    }
  }
  if (const Entry* const mappings = fields["mappings"]) {
    draft.mappings.reserve(mappings->value->map.size());
  }
  ReadDefinitions(fields["services"], "services", "a service name", ReadService, draft, out);
  ReadDefinitions(fields["mappings"], "mappings", "a mapping name", ReadMapping, draft, out);
}

}  // namespace march::model
