// Policies, one after the other, that differ in a few mappings, and what each of them says of a
// flow: found here by plain matching, with nothing of the compiler.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/connections/flow_model.h"
#include "tests/random/random.h"

namespace march::soak {

// Ports that talks are about.
inline constexpr std::uint32_t kServicePorts[] = {53, 80, 443, 8000, 8001, 8002, 8003, 9000};

// Packets to this port, between these two hosts, always pass, and keep no connection.
inline constexpr std::uint32_t kFencePort = 9;
inline constexpr std::uint32_t kFenceNetwork = 255;
inline constexpr std::uint32_t kFenceHost = 254;

// A service of the policy: all hosts, those of a side, of a network, or of half a network.
struct Group {
  std::uint32_t side = 0;     // 0: both
  std::uint32_t network = 0;  // 0: all
  enum class Half { kBoth, kLow, kHigh } half = Half::kBoth;
  enum class Families { kBoth, kV4, kV6 } families = Families::kBoth;

  bool Has(std::uint64_t address) const;
  bool IsAny() const;
  std::string Name() const;
  // Its addresses, as a list in YAML.
  std::string Addresses() const;
};

struct Mapping {
  enum class What { kPorts, kPing, kAll };

  Group from;
  Group to;
  What what = What::kPorts;
  bool tcp = true;
  bool udp = true;
  std::uint32_t first_port = 0;
  std::uint32_t last_port = 0xFFFF;
  bool allow = true;
  int priority = 0;

  bool Matches(std::uint32_t protocol, const tests::End& from_end, const tests::End& to_end) const;
  std::string Text() const;  // what is behind its name
};

struct Policy {
  std::uint64_t number = 0;
  std::vector<Mapping> mappings;

  // Of a flow's first packet; of ICMP, an echo request.
  bool Allows(std::uint32_t protocol, const tests::End& from, const tests::End& to) const;
  std::string Yaml() const;
};

// The one after `before`: mostly the same, now and then all new.
Policy NextPolicy(const Policy& before, tests::Random& random);

}  // namespace march::soak
