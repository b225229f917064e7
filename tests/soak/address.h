// The addresses of a soak, which many hosts on either side of the gateway have in IPv4 and IPv6, in
// the one number that the model of connections knows an address by.
#pragma once

#include <cstdint>
#include <string>

namespace march::soak {

// A host: 10.SIDE.NETWORK.HOST, or 2001:db8:SIDE:NETWORK::HOST.
struct Place {
  bool is_v6 = false;
  std::uint32_t side = 0;
  std::uint32_t network = 0;  // below 256, as is the host
  std::uint32_t host = 0;
};

inline constexpr std::uint32_t kClientSide = 1;
inline constexpr std::uint32_t kServerSide = 2;
constexpr std::uint32_t OtherSide(std::uint32_t side) {
  return kClientSide + kServerSide - side;
}

// Networks 0 are the hosts that three_hosts.sh sets up, and the gateway's.
inline constexpr std::uint32_t kFirstNetwork = 1;
inline constexpr std::uint32_t kNetworks = 4;
inline constexpr std::uint32_t kHosts = 31;  // from 1 on

std::uint64_t AddressOf(const Place& place);
Place PlaceOf(std::uint64_t address);
std::string TextOf(const Place& place);

}  // namespace march::soak
