// Why no mapping let a flow pass, in the policy's words: who its ends are, which mappings come
// nearest, and what each of those would have asked of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/model/policy.h"
#include "compiler/space/flow.h"

namespace march::explain {

// A mapping that lets packets pass, and in which respects it does not match a flow.
struct NearMiss {
  std::uint32_t mapping = 0;  // index into Policy::mappings
  bool from = false;
  bool to = false;
  bool layer4 = false;  // protocol, ports or type
  bool source_port = false;

  friend bool operator==(const NearMiss&, const NearMiss&) = default;
};

// "tcp/25", "icmp/echo-request", "icmp/destination-unreachable/4", "udp fragments", "protocol 47"
std::string Layer4Text(const space::Flow& flow);

// Remembers what it has found out about addresses: one thread at a time.
class Explainer {
 public:
  // `policy` must outlive it.
  explicit Explainer(const model::Policy& policy);

  // Of the services that hold the address the smallest, of its family, and of equal ones the first
  // by name; null if none does.
  const model::Service* ServiceOf(const space::Address& address) const;
  // Its name, or the address.
  std::string NameOf(const space::Address& address) const;

  // "no mapping from payments to 203.0.113.9 tcp/25"
  std::string NoMapping(const space::Flow& flow) const;

  // Those that differ from the flow in the fewest respects, in two at most; among them first those
  // that differ in the source port, then in port or type, protocol, destination, source. At most
  // `most`. Mappings under audit are none.
  std::vector<NearMiss> Nearest(const space::Flow& flow, std::size_t most) const;
  // "allows tcp/443 to it", "allows it from office, partners"
  std::string Describe(const NearMiss& miss) const;

  // The mapping that lets the opposite direction pass, of which the flow may be an answer.
  std::optional<std::uint32_t> OppositeOf(const space::Flow& flow) const;

 private:
  using Held = std::vector<bool>;  // by service

  const Held& ServicesThatHold(const space::Address& address) const;
  std::string NamesOf(const std::vector<std::uint32_t>& services) const;

  const model::Policy& policy_;
  std::size_t most_known_;
  mutable std::map<std::pair<space::Family, space::Uint128>, Held> known_;
};

}  // namespace march::explain
