// The policy with all names resolved: what was meant, independent of files, order and spelling.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "compiler/space/address.h"
#include "compiler/space/interval_set.h"
#include "compiler/yaml/document.h"

namespace march::model {

// From the most to the least strict: among mappings of one priority the strictest decides.
enum class Action : std::uint8_t { kDeny, kReject, kProxy, kRedirect, kAllow };

std::string_view ActionName(Action action);
// "deny", "reject", ..., in the order of the enumeration.
const std::vector<std::string_view>& ActionNames();

inline constexpr std::int32_t kMinPriority = -1000000;
inline constexpr std::int32_t kMaxPriority = 1000000;

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // inclusive

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

// A type of ICMP or ICMPv6 messages, of every code if it has none.
struct IcmpType {
  std::uint8_t protocol = 0;
  std::uint8_t type = 0;
  std::optional<std::uint8_t> code;

  friend auto operator<=>(const IcmpType&, const IcmpType&) = default;
};

// Units a second, and at once. So the kernel's arithmetic has room (bundle/abi/limit.h).
inline constexpr std::uint64_t kMostRate = 16'000'000'000;

// How much of a mapping may pass: above a rate a second, in each of the units that are given.
struct Limit {
  enum class Per : std::uint8_t { kMapping, kSource, kDestination };
  enum class Exceed : std::uint8_t { kDrop, kMark, kProxy };

  std::optional<std::uint64_t> packets;
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> connections;
  std::optional<std::uint64_t> burst;  // of the one unit that is given; no value: the default
  Per per = Per::kMapping;
  // Per source and destination: addresses with one prefix share a limit.
  std::uint8_t prefix_v4 = 32;
  std::uint8_t prefix_v6 = 64;
  Exceed exceed = Exceed::kDrop;

  friend bool operator==(const Limit&, const Limit&) = default;
};

// What a mapping or service asks for beyond its match: `limit`, `auth`, `tls` and the like.
struct Attribute {
  std::string name;
  std::string value;  // canonical JSON: equal exactly when the same is meant
  SourceRange place;  // of the key
};

struct Service {
  std::string name;
  SourceRange place;  // of the name
  // As written, in order.
  std::vector<space::Prefix> prefixes;
  std::vector<space::Prefix> except;
  std::vector<std::string> fqdns;      // lower case; "*.example.com" is every name below
  std::vector<std::uint32_t> members;  // indices into Policy::services, never in a circle
  std::string collection;
  std::string owner;
  std::string comment;
  std::vector<Attribute> attributes;  // sorted by name

  // Its own addresses and those of its members, without `except`. Names stand for no address here.
  space::AddressSet addresses;
  bool has_names = false;  // it or a member has `fqdns`
};

struct Mapping {
  std::string name;
  SourceRange place;  // of the name
  // Indices into Policy::services; no value means any address of any family.
  std::optional<std::vector<std::uint32_t>> from;
  std::optional<std::vector<std::uint32_t>> to;
  // Sorted protocol numbers without repetition; no value means any. Given ports narrow "any" to the
  // protocols that have ports, so here `ports` implies `protocols`.
  std::optional<std::vector<std::uint8_t>> protocols;
  // Sorted, disjoint destination ports; no value means all. Applies to every entry of `protocols`.
  std::optional<std::vector<PortRange>> ports;
  std::optional<std::vector<PortRange>> source_ports;  // likewise
  // Sorted; no value means all. Given types narrow `protocols` to those of ICMP.
  std::optional<std::vector<IcmpType>> icmp_types;
  Action action = Action::kAllow;
  std::int32_t priority = 0;
  bool audit = false;  // decides nothing
  std::string comment;
  std::vector<Attribute> attributes;    // sorted by name
  bool stateful = true;                 // as the attribute says
  std::optional<Limit> limit;           // likewise
  std::vector<std::uint32_t> backends;  // services that its attributes name; sorted
};

struct Policy {
  std::string cluster = "default";
  Action default_action = Action::kDeny;
  bool default_stateful = true;   // of what no mapping matches, if it is allowed
  std::vector<Service> services;  // sorted by name, byte order
  std::vector<Mapping> mappings;  // sorted by name, byte order
  // kNotYetEnforced for everything that this version can check and not enforce. A policy with any
  // of them is never compiled.
  Diagnostics unenforced;
};

// The service or mapping of this name; null if there is none.
const Service* FindService(const Policy& policy, std::string_view name);
const Mapping* FindMapping(const Policy& policy, std::string_view name);

// Reads, checks and resolves. All errors of all documents are reported. The result does not depend
// on the order of files, documents or keys.
Outcome<Policy> BuildPolicy(const yaml::PolicyDoc& doc);

// For `--until policy --dump`: canonical text, one line a fact, with places.
std::string Dump(const Policy& policy);

}  // namespace march::model
