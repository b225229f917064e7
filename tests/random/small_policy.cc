#include "tests/random/small_policy.h"

#include "compiler/space/protocol.h"

namespace march::tests {
namespace {

using space::Family;
using space::Flow;

const std::vector<std::string> kPrefixes = {
    "10.0.0.0/31", "10.0.0.0/32",        "10.0.0.1/32",         "10.0.0.2/31", "10.0.0.0/30",
    "0.0.0.0/0",   "\"2001:db8::/127\"", "\"2001:db8::1/128\"", "\"::/0\""};

std::string Some(Random& random, const std::vector<std::string>& words, std::uint32_t most) {
  std::string text = "[";
  for (std::uint32_t left = 1 + random.Below(most); left > 0; --left) {
    text += random.Pick(words) + (left > 1 ? ", " : "");
  }
  return text + "]";
}

}  // namespace

std::string SmallPolicy(Random& random) {
  std::string text = "apiVersion: march/v1\nkind: Policy\n";
  if (random.OneIn(3)) text += "defaults: { action: allow }\n";
  std::vector<std::string> services;
  text += "services:\n";
  for (std::uint32_t i = 0; i <= random.Below(3) + 1; ++i) {
    const std::string name = "s" + std::to_string(i);
    text += "  " + name + ": { ";
    if (i > 0 && random.OneIn(4)) text += "services: " + Some(random, services, 2) + ", ";
    if (random.OneIn(4)) text += "except: " + Some(random, kPrefixes, 1) + ", ";
    text += random.OneIn(12) ? "addresses: [] }\n"
                             : "addresses: " + Some(random, kPrefixes, 2) + " }\n";
    services.push_back(name);
  }
  text += "mappings:\n";
  const std::uint32_t mappings = 1 + random.Below(9);
  for (std::uint32_t i = 0; i < mappings; ++i) {
    text += "  m" + std::to_string(random.Below(10)) + std::to_string(i) + ":\n";
    const std::string action = random.Pick<std::string>({"allow", "allow", "deny", "reject"});
    text += "    action: " + action + "\n";
    if (!random.OneIn(3)) text += "    from: " + Some(random, services, 2) + "\n";
    if (!random.OneIn(3)) text += "    to: " + Some(random, services, 2) + "\n";
    if (random.OneIn(3)) text += "    priority: " + std::to_string(random.Below(2)) + "\n";
    if (random.OneIn(12)) text += "    audit: true\n";
    if (action == "allow" && random.OneIn(5)) {
      text += "    limit: { packets: " + std::to_string(1 + random.Below(2)) + " }\n";
    }
    switch (random.Below(6)) {
      case 0:
        text += "    protocols: " + Some(random, {"tcp", "udp", "icmp", "icmpv6", "47"}, 2) + "\n";
        break;
      case 1:
        text += "    ports: " + Some(random, {"0", "1-65535", "1", "2-65535", "0-1"}, 2) + "\n";
        break;
      case 2:
        text += "    protocols: [tcp]\n    ports: [2]\n";
        break;
      case 3:
        text += "    icmp_types: " + Some(random, {"8", "0", "echo-request", "8/0"}, 2) + "\n";
        break;
      case 4:
        text +=
            "    protocols: [tcp]\n    source_ports: " + Some(random, {"1", "2-65535"}, 1) + "\n";
        break;
      default:
        break;
    }
  }
  return text;
}

std::vector<Flow> SmallUniverse() {
  const auto addresses = [](Family family) {
    std::vector<space::Address> list;
    for (const char* const text : {"10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "192.0.2.1",
                                   "2001:db8::", "2001:db8::1", "2001:db8::2"}) {
      const auto address = *space::Address::Parse(text);
      if (address.family == family) list.push_back(address);
    }
    return list;
  };
  std::vector<Flow> flows;
  const auto add = [&](const space::Address& source, const space::Address& destination) {
    Flow flow;
    flow.source = source;
    flow.destination = destination;
    for (const std::uint8_t protocol : {space::kTcp, space::kUdp, space::kSctp}) {
      for (std::uint16_t port = 0; port <= 3; ++port) {
        for (std::uint16_t source_port = 0; source_port <= 2; ++source_port) {
          flow.protocol = protocol;
          flow.destination_port = port;
          flow.source_port = source_port;
          flows.push_back(flow);
        }
      }
    }
    flow.source_port = 0;
    flow.destination_port = 0;
    for (const std::uint8_t protocol : {space::kIcmp, space::kIcmpv6}) {
      for (const unsigned detail : {0U, 0x0800U, 0x0801U, 0x8000U, 0x8001U, 0x0100U}) {
        flow.protocol = protocol;
        flow.SetDetail(static_cast<std::uint16_t>(detail));
        flows.push_back(flow);
      }
    }
    flow.icmp_type = 0;
    flow.icmp_code = 0;
    for (const std::uint8_t protocol : {std::uint8_t{47}, std::uint8_t{50}}) {
      flow.protocol = protocol;
      flows.push_back(flow);
    }
  };
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const auto& source : addresses(family)) {
      for (const auto& destination : addresses(family)) add(source, destination);
    }
  }
  return flows;
}

}  // namespace march::tests
