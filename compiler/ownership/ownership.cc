#include "compiler/ownership/ownership.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/suggest.h"
#include "compiler/model/draft.h"
#include "compiler/model/fields.h"
#include "compiler/model/read.h"
#include "compiler/ruleset/ruleset.h"
#include "compiler/space/protocol.h"
#include "compiler/yaml/quote.h"

namespace march::ownership {
namespace {

using model::Fields;
using yaml::Entry;
using yaml::Node;
using yaml::Quoted;

constexpr std::string_view kSshPrefix = "SHA256:";

// ssh-keygen's form, or a fingerprint of OpenPGP (RFC 4880, section 12.2).
bool IsFingerprint(std::string_view text) {
  constexpr std::size_t kSshLength = 43;
  constexpr std::size_t kPgpLength = 40;
  const auto among = [](std::string_view characters) {
    return [characters](char c) { return characters.find(c) != std::string_view::npos; };
  };
  if (text.starts_with(kSshPrefix)) {
    text.remove_prefix(kSshPrefix.size());
    return text.size() == kSshLength &&
           std::all_of(text.begin(), text.end(),
                       among("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
  }
  return text.size() == kPgpLength &&
         std::all_of(text.begin(), text.end(), among("0123456789abcdefABCDEF"));
}

bool IsEmail(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of(" \t\r\n<>") == std::string_view::npos;
}

class Reader {
 public:
  Reader(std::vector<Owner>& owners, Diagnostics& out) : owners_(owners), out_(out) {}

  void ReadDocument(const Node& document) {
    const Fields fields(document, document.range, "an ownership document", DocumentKeys(), out_);
    model::CheckVersion(fields, out_);
    const Entry* const owners = fields["owners"];
    if (owners == nullptr || !model::IsMap(*owners->value, "owners",
                                           "write one \"NAME: { members: [...] }\" a line", out_)) {
      return;
    }
    for (const Entry& entry : owners->value->map) {
      const auto name = model::ReadName(*entry.key, "an owner's name", out_);
      if (name && model::IsMap(*entry.value, "an owner", "write { members: [...] }", out_)) {
        ReadOwner(name->value, name->place, *entry.value);
      }
    }
  }

 private:
  void ReadOwner(std::string_view name, SourceRange place, const Node& node) {
    const Fields fields(node, place, "an owner", OwnerKeys(), out_);
    Owner owner;
    owner.name = name;
    owner.place = place;
    ForEach(fields["members"], "members", [&](const Node& member) { ReadMember(member, owner); });
    if (const Entry* const flag = fields["administrator"]) {
      owner.administrator = model::ReadFlag(*flag->value, "administrator", out_).value_or(false);
    }
    const auto pattern = [&](std::vector<std::string>& patterns) {
      return [this, &patterns](const Node& entry) { ReadPattern(entry, patterns); };
    };
    ForEach(fields["services"], "services", pattern(owner.services));
    ForEach(fields["mappings"], "mappings", pattern(owner.mappings));
    ForEach(fields["traffic"], "traffic", [&](const Node& entry) { ReadTraffic(entry, owner); });
    if (const Entry* const comment = fields["comment"]) {
      owner.comment = model::ReadText(*comment->value, "comment", out_).value_or("");
    }
    for (auto* const list : {&owner.members, &owner.services, &owner.mappings}) {
      std::sort(list->begin(), list->end());
    }
    owners_.push_back(std::move(owner));
  }

  // The entries of a list that says nothing when it is empty.
  template <class Read>
  void ForEach(const Entry* entry, std::string_view key, Read read) {
    if (entry == nullptr || !model::IsNonEmptyList(*entry, key, out_)) return;
    for (const auto& node : entry->value->sequence) read(*node);
  }

  void ReadMember(const Node& node, Owner& owner) {
    if (!model::IsScalar(node, "a member", out_)) return;
    if (!IsEmail(node.scalar) && !IsFingerprint(node.scalar)) {
      out_.push_back(MakeDiagnostic(
          Code::kBadValue, node.range,
          Quoted(node.scalar) + " is neither an e-mail address nor the fingerprint of a key",
          "write it as `git log --format='%ae %GF'` prints it: ada@example.com or SHA256:..."));
      return;
    }
    owner.members.push_back(node.scalar);
  }

  void ReadPattern(const Node& node, std::vector<std::string>& patterns) {
    if (!model::IsScalar(node, "a name", out_)) return;
    std::string plain = node.scalar;
    std::replace(plain.begin(), plain.end(), '*', 'x');
    if (!model::IsName(plain)) {
      out_.push_back(MakeDiagnostic(Code::kBadName, node.range,
                                    Quoted(node.scalar) + " is no name, nor one with \"*\" in it",
                                    "write the name, or \"pay-*\" for all that begin with pay-"));
      return;
    }
    patterns.push_back(node.scalar);
  }

  space::AddressSet ReadEnd(const Fields& fields, std::string_view key) {
    const Entry* const entry = fields[key];
    if (entry == nullptr) return space::AddressSet::Everything();
    std::vector<space::Prefix> prefixes;
    ForEach(entry, key, [&](const Node& node) {
      if (const auto prefix = model::ReadPrefix(node, out_)) prefixes.push_back(*prefix);
    });
    return space::AddressSet::Of(prefixes);
  }

  void ReadTraffic(const Node& node, Owner& owner) {
    if (!model::IsMap(node, "an entry of traffic", "write { to: [PREFIX] }", out_)) return;
    const Fields fields(node, node.range, "an entry of traffic", TrafficKeys(), out_);
    const space::AddressSet from = ReadEnd(fields, "from");
    const space::AddressSet to = ReadEnd(fields, "to");
    model::Mapping mapping;
    ReadProtocols(fields, mapping);
    owner.traffic.Add(space::PacketSet::Of(from, to, ruleset::L4Of(mapping), space::EveryPort()));
  }

  void ReadProtocols(const Fields& fields, model::Mapping& mapping) {
    bool any = true;
    std::vector<std::uint8_t> protocols;
    if (const Entry* const entry = fields["protocols"]) {
      any = false;
      ForEach(entry, "protocols", [&](const Node& node) {
        const auto protocol = model::ReadProtocol(node, out_);
        if (!protocol) return;
        any |= !protocol->value;
        if (protocol->value) protocols.push_back(*protocol->value);
      });
    }
    const Entry* const ports = fields["ports"];
    if (any && ports != nullptr) protocols = {space::kTcp, space::kUdp, space::kSctp};
    if (!any || ports != nullptr) mapping.protocols = protocols;
    if (ports == nullptr) return;
    mapping.ports.emplace();
    ForEach(ports, "ports", [&](const Node& node) { ReadPorts(node, *mapping.ports, out_); });
    for (const std::uint8_t protocol : protocols) {
      if (space::HasPorts(protocol)) continue;
      out_.push_back(MakeDiagnostic(Code::kPortsWithoutPorts, ports->key->range,
                                    "protocol " + space::ProtocolName(protocol) + " has no ports",
                                    "give this protocol an entry of its own"));
    }
  }

  std::vector<Owner>& owners_;
  Diagnostics& out_;
};

// Of several owners of one name, keeps the first.
void CheckNames(std::vector<Owner>& owners, Diagnostics& out) {
  std::sort(owners.begin(), owners.end(), [](const Owner& a, const Owner& b) {
    if (a.name != b.name) return a.name < b.name;
    return model::ComesBefore(a.place, b.place);
  });
  for (std::size_t i = 1; i < owners.size(); ++i) {
    if (owners[i].name != owners[i - 1].name) continue;
    out.push_back(MakeDiagnostic(Code::kDuplicateName, owners[i].place,
                                 "the owner " + Quoted(owners[i].name) + " is defined twice",
                                 "rename or remove one of them")
                      .WithNote(owners[i - 1].place, "first defined here"));
  }
}

void CheckAdministrators(const std::vector<Owner>& owners, Diagnostics& out) {
  if (owners.empty() || std::any_of(owners.begin(), owners.end(),
                                    [](const Owner& owner) { return owner.administrator; })) {
    return;
  }
  out.push_back(MakeDiagnostic(Code::kNoAdministrator, owners.front().place,
                               "no owner is an administrator: nobody could change who owns what",
                               "give one of them administrator: true"));
}

void CheckServices(const model::Policy& policy, const std::vector<Owner>& owners,
                   Diagnostics& out) {
  if (owners.empty()) return;
  std::vector<std::string_view> names;
  names.reserve(owners.size());
  for (const Owner& owner : owners) names.push_back(owner.name);
  for (const model::Service& service : policy.services) {
    if (service.owner.empty() || std::binary_search(names.begin(), names.end(), service.owner)) {
      continue;
    }
    std::string hint = DidYouMean(service.owner, names);
    if (hint.empty()) hint = "define it in a document of kind Ownership";
    out.push_back(MakeDiagnostic(Code::kUnknownOwner, service.place,
                                 "the service " + Quoted(service.name) + " is said to belong to " +
                                     Quoted(service.owner) + ", which is not defined",
                                 std::move(hint)));
  }
}

}  // namespace

const model::KeyTable& DocumentKeys() {
  static const model::KeyTable keys = {
      {"apiVersion", true, "write apiVersion: march/v1"}, {"kind", true}, {"owners", true}};
  return keys;
}

const model::KeyTable& OwnerKeys() {
  static const model::KeyTable keys = {{"members", true, "write members: [ada@example.com]"},
                                       {"administrator"},
                                       {"services"},
                                       {"mappings"},
                                       {"traffic"},
                                       {"comment"}};
  return keys;
}

const model::KeyTable& TrafficKeys() {
  static const model::KeyTable keys = {{"from"}, {"to"}, {"protocols"}, {"ports"}};
  return keys;
}

Outcome<Ownership> ReadOwnership(const yaml::PolicyDoc& doc, const model::Policy& policy) {
  Ownership ownership;
  Diagnostics diagnostics;
  Reader reader(ownership.owners, diagnostics);
  for (const auto& document : doc.documents) {
    if (model::IsDocumentOf(*document, model::kOwnershipKind)) reader.ReadDocument(*document);
  }
  CheckNames(ownership.owners, diagnostics);
  if (!HasErrors(diagnostics)) CheckAdministrators(ownership.owners, diagnostics);
  CheckServices(policy, ownership.owners, diagnostics);
  SortByPlace(diagnostics);
  return {std::move(ownership), std::move(diagnostics)};
}

bool HasMember(const Owner& owner, std::string_view email_or_key, bool is_key) {
  const auto same = [](char a, char b) { return ToLower(a) == ToLower(b); };
  return std::any_of(owner.members.begin(), owner.members.end(), [&](const std::string& member) {
    if (IsEmail(member) == is_key) return false;
    // In base64, capitals are other letters.
    if (member.starts_with(kSshPrefix)) return member == email_or_key;
    return std::equal(member.begin(), member.end(), email_or_key.begin(), email_or_key.end(), same);
  });
}

bool MatchesAny(const std::vector<std::string>& patterns, std::string_view name) {
  // Goes back to the last "*" only: in linear time but for one factor, whatever the pattern.
  const auto matches = [&](std::string_view pattern) {
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    for (std::size_t n = 0; n < name.size();) {
      if (p < pattern.size() && pattern[p] == '*') {
        star = p++;
        resume = n;
      } else if (p < pattern.size() && pattern[p] == name[n]) {
        ++p;
        ++n;
      } else if (star != std::string_view::npos) {
        p = star + 1;
        n = ++resume;
      } else {
        return false;
      }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
  };
  return std::any_of(patterns.begin(), patterns.end(), matches);
}

}  // namespace march::ownership
