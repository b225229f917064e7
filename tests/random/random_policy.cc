#include "tests/random/random_policy.h"

#include <algorithm>

#include "compiler/space/protocol.h"

namespace march::tests {
namespace {

using space::Address;
using space::Family;
using space::Prefix;
using space::Uint128;

// Networks that the random prefixes nest in, so that they overlap often.
Address RandomAddress(Random& random, Family family) {
  const Uint128 noise = Uint128{random.Next()} << 64 | random.Next();
  if (family == Family::kV4) {
    static const std::vector<std::uint32_t> bases = {0x0A000000, 0x0A140000, 0x0A140100, 0xC0A80000,
                                                     0x00000000, 0xFFFFFF00, 0x0AFFFF00};
    const std::uint32_t keep = ~std::uint32_t{0} << (8 * random.Below(4));
    return {family, (random.Pick(bases) & keep) | (static_cast<std::uint32_t>(noise) & ~keep)};
  }
  const Uint128 documentation = Uint128{0x20010DB8} << 96;
  static const std::vector<Uint128> bases = {documentation,
                                             documentation | Uint128{0x20} << 80,
                                             documentation | Uint128{0x20} << 80 | 1,
                                             0,
                                             ~Uint128{0} << 16,
                                             documentation | Uint128{0xFFFF} << 64};
  const unsigned free_bits = random.Pick(std::vector<unsigned>{0, 8, 16, 56, 64, 72, 80, 96});
  const Uint128 free = (Uint128{1} << free_bits) - 1;
  return {family, (random.Pick(bases) & ~free) | (noise & free)};
}

Prefix RandomPrefix(Random& random, Family family) {
  static const std::vector<unsigned> lengths4 = {0,  1,  8,  9,  15, 16, 17,
                                                 20, 23, 24, 25, 31, 32, 32};
  static const std::vector<unsigned> lengths6 = {0,  16, 32, 47,  48,  56,  63, 64,
                                                 65, 72, 96, 127, 128, 128, 64, 48};
  const unsigned length = random.Pick(family == Family::kV4 ? lengths4 : lengths6);
  return Prefix::Of(RandomAddress(random, family), length);
}

std::string PrefixText(const Prefix& prefix) {
  // A prefix of the mapped range is refused by the language, so never make one.
  return "\"" + prefix.ToString() + "\"";
}

bool IsMapped(const Prefix& prefix) {
  return prefix.address.family == Family::kV6 && prefix.length >= 96 &&
         prefix.address.value >> 32 == 0xFFFF;
}

std::string RandomPorts(Random& random) {
  static const std::vector<std::uint32_t> known = {0, 1, 22, 53, 80, 443, 1023, 1024, 5432, 65535};
  std::string text = "[";
  const std::uint32_t count = 1 + random.Below(3);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    const std::uint32_t a = random.OneIn(2) ? random.Pick(known) : random.Below(65536);
    const std::uint32_t b = random.OneIn(2) ? random.Pick(known) : random.Below(65536);
    switch (random.Below(3)) {
      case 0:
        text += std::to_string(a);
        break;
      case 1:
        text += "\"" + std::to_string(std::min(a, b)) + "-" + std::to_string(std::max(a, b)) + "\"";
        break;
      default:
        text += "\"" + std::to_string(a) + "," + std::to_string(b) + "\"";
    }
  }
  return text + "]";
}

std::string RandomServices(Random& random, std::uint32_t services) {
  std::string text = "[s" + std::to_string(random.Below(services));
  if (random.OneIn(3)) text += ", s" + std::to_string(random.Below(services));
  return text + "]";
}

// A number of the interval set's surroundings.
Uint128 NearEdge(Random& random, const space::IntervalSet<Uint128>& set, Uint128 last) {
  const auto& part = random.Pick(set.intervals());
  switch (random.Below(5)) {
    case 0:
      return part.first;
    case 1:
      return part.last;
    case 2:
      return part.first == 0 ? part.first : part.first - 1;
    case 3:
      return part.last == last ? part.last : part.last + 1;
    default:
      return part.first + (Uint128{random.Next()} << 64 | random.Next()) %
                              std::max<Uint128>(part.last - part.first, 1);
  }
}

Address FlowAddress(Random& random, const model::Policy& policy, Family family) {
  if (!policy.services.empty() && !random.OneIn(6)) {
    const auto& set = random.Pick(policy.services).addresses.In(family);
    if (!set.empty()) return {family, NearEdge(random, set, LastOf(family))};
  }
  return RandomAddress(random, family);
}

std::uint16_t FlowPort(Random& random, const model::Policy& policy,
                       std::optional<std::vector<model::PortRange>> model::Mapping::* of) {
  if (!policy.mappings.empty() && !random.OneIn(6)) {
    const auto& ports = random.Pick(policy.mappings).*of;
    if (ports) {
      const model::PortRange& range = random.Pick(*ports);
      // Wrapping around is welcome: 65535 and 0 are edges too.
      const std::uint32_t step = random.Below(3);
      return static_cast<std::uint16_t>((random.OneIn(2) ? range.first : range.last) + step +
                                        65535);
    }
  }
  return static_cast<std::uint16_t>(random.Next());
}

std::string RandomPrefixText(Random& random) {
  Prefix prefix = RandomPrefix(random, random.OneIn(2) ? Family::kV6 : Family::kV4);
  while (IsMapped(prefix)) prefix = RandomPrefix(random, Family::kV4);
  return PrefixText(prefix);
}

// Next to each other, at both ends, and those of echo requests.
const std::vector<std::uint8_t> kTypes = {0, 1, 7, 8, 9, 127, 128, 129, 254, 255};

std::string RandomTypes(Random& random) {
  std::string text = "[";
  for (std::uint32_t left = 1 + random.Below(3); left > 0; --left) {
    text += std::to_string(random.Pick(kTypes));
    if (random.OneIn(3)) text += "/" + std::to_string(random.Below(3));
    if (left > 1) text += ", ";
  }
  return text + "]";
}

}  // namespace

std::string RandomPolicy(Random& random, std::uint32_t mappings) {
  static const std::vector<std::string> protocols = {"tcp",    "udp", "sctp", "icmp",
                                                     "icmpv6", "any", "47",   "50"};
  const std::uint32_t services = 2 + mappings / 2;
  std::string text = "apiVersion: march/v1\nkind: Policy\n";
  if (random.OneIn(3)) text += "defaults: { action: allow }\n";
  text += "services:\n";
  for (std::uint32_t i = 0; i < services; ++i) {
    text += "  s" + std::to_string(i) + ": { ";
    // Members come before, so there are no circles.
    if (i > 0 && random.OneIn(5)) text += "services: " + RandomServices(random, i) + ", ";
    if (random.OneIn(5)) text += "except: [" + RandomPrefixText(random) + "], ";
    text += "addresses: [";
    const std::uint32_t count = 1 + random.Below(4);
    for (std::uint32_t j = 0; j < count; ++j) {
      text += (j > 0 ? ", " : "") + RandomPrefixText(random);
    }
    text += "] }\n";
  }
  text += "mappings:\n";
  for (std::uint32_t i = 0; i < mappings; ++i) {
    text += "  m" + std::to_string(random.Below(1000)) + "-" + std::to_string(i) + ":\n";
    text += random.OneIn(2) ? "    action: allow\n" : "    action: deny\n";
    if (random.OneIn(8)) text += "    audit: true\n";
    if (!random.OneIn(4)) text += "    from: " + RandomServices(random, services) + "\n";
    if (!random.OneIn(4)) text += "    to: " + RandomServices(random, services) + "\n";
    if (random.OneIn(2)) {
      text += "    priority: " + std::to_string(static_cast<int>(random.Below(7)) - 3) + "\n";
    }
    switch (random.Below(5)) {
      case 0:
        break;
      case 4:
        text += "    icmp_types: " + RandomTypes(random) + "\n";
        if (random.OneIn(2)) text += "    protocols: [icmp, icmpv6]\n";
        break;
      case 1:
        text += "    protocols: [" + random.Pick(protocols) + "]\n";
        break;
      case 2:
        text += "    ports: " + RandomPorts(random) + "\n";
        if (random.OneIn(3)) text += "    source_ports: " + RandomPorts(random) + "\n";
        break;
      default:
        if (random.OneIn(3)) text += "    source_ports: " + RandomPorts(random) + "\n";
        text += random.OneIn(2) ? "    protocols: [tcp]\n" : "    protocols: [udp, sctp]\n";
        text += "    ports: " + RandomPorts(random) + "\n";
    }
  }
  return text;
}

std::vector<space::Flow> RandomFlows(Random& random, const model::Policy& policy,
                                     std::uint32_t count, bool fragments) {
  static const std::vector<std::uint8_t> protocols = {
      space::kTcp,  space::kTcp,    space::kUdp, space::kUdp, space::kSctp,
      space::kIcmp, space::kIcmpv6, 47,          50,          255};
  std::vector<space::Flow> flows;
  for (std::uint32_t i = 0; i < count; ++i) {
    space::Flow flow;
    const Family family = random.OneIn(2) ? Family::kV6 : Family::kV4;
    flow.protocol = random.Pick(protocols);
    flow.source = FlowAddress(random, policy, family);
    flow.destination = FlowAddress(random, policy, family);
    flow.later_fragment = fragments && random.OneIn(8);
    if (space::IsIcmp(flow.protocol) && !flow.later_fragment) {
      flow.icmp_type = random.Pick(kTypes);
      flow.icmp_code = static_cast<std::uint8_t>(random.Below(3));
    }
    if (space::HasPorts(flow.protocol) && !flow.later_fragment) {
      flow.source_port = FlowPort(random, policy, &model::Mapping::source_ports);
      flow.destination_port = FlowPort(random, policy, &model::Mapping::ports);
    }
    flows.push_back(flow);
  }
  return flows;
}

}  // namespace march::tests
