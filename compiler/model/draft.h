// The policy as written: every value with its place, names not yet resolved. What the checks look
// at. Views point into the PolicyDoc it was read from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/diagnostic.h"
#include "base/source.h"
#include "compiler/model/policy.h"

namespace march::model {

template <class T>
struct Written {
  T value{};
  SourceRange place;
};

using Names = std::vector<Written<std::string_view>>;

struct DraftService {
  Written<std::string_view> name;
  std::vector<space::Prefix> prefixes;
  std::vector<space::Prefix> except;
  std::vector<std::string> fqdns;
  Names members;
  std::string_view collection;
  std::string_view owner;
  std::string_view comment;
  std::vector<Attribute> attributes;
};

// An ICMP type as written: a name means what it means in each protocol, a number the same in both.
struct DraftIcmpType {
  std::string_view name;  // "" for a number
  std::uint8_t type = 0;
  std::optional<std::uint8_t> code;
};

struct DraftMapping {
  // A protocol number; no value for the word `any`.
  using Protocol = Written<std::optional<std::uint8_t>>;

  Written<std::string_view> name;
  std::optional<Names> from;  // no value: the key is not there
  std::optional<Names> to;
  std::optional<std::vector<Protocol>> protocols;
  std::optional<std::vector<PortRange>> ports;  // as written
  SourceRange ports_place;                      // of the key
  std::optional<std::vector<PortRange>> source_ports;
  SourceRange source_ports_place;
  std::optional<std::vector<Written<DraftIcmpType>>> icmp_types;
  SourceRange icmp_types_place;
  Written<Action> action{Action::kAllow, {}};  // no place if it is not given
  std::int32_t priority = 0;
  bool audit = false;
  std::string_view comment;
  std::vector<Attribute> attributes;
  bool stateful = true;
  std::optional<Limit> limit;
  SourceRange limit_place;  // of the key
  Names backends;
};

struct Draft {
  std::uint32_t others = 0;  // documents that are not the policy's
  // Sorted by name (byte order), then place: of several with one name the first counts.
  std::vector<DraftService> services;
  std::vector<DraftMapping> mappings;
  // From a name to the first service of that name.
  std::unordered_map<std::string_view, std::uint32_t> service_index;
  // In the order of files and places.
  std::vector<Written<std::string_view>> clusters;
  std::vector<Written<Action>> default_actions;
  std::vector<Written<bool>> default_stateful;
  Diagnostics unenforced;  // see Policy
};

// Before another place, by the names of the files first: the one order that no way of reading the
// files can change.
inline bool ComesBefore(const SourceRange& a, const SourceRange& b) {
  if (a.source != b.source) return a.source->name() < b.source->name();
  return a.begin < b.begin;
}

// The index of the first service of this name; no value if there is none.
inline std::optional<std::uint32_t> FindService(const Draft& draft, std::string_view name) {
  const auto found = draft.service_index.find(name);
  if (found == draft.service_index.end()) return std::nullopt;
  return found->second;
}

}  // namespace march::model
