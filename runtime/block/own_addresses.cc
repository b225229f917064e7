#include "runtime/block/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace march::block {
namespace {

constexpr Prefix kLoopback4 = {4, 0, 0x7F000000, 8};
constexpr Prefix kLoopback6 = {6, 0, 1, 128};

std::uint64_t ReadBytes(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

std::optional<Prefix> AddressOf(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof(v4));
    std::memcpy(bytes.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    return Prefix{4, 0, ReadBytes(bytes.data(), 4), 32};
  }
  if (address->sa_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof(v6));
  std::memcpy(bytes.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
  return Prefix{6, ReadBytes(bytes.data(), 8), ReadBytes(bytes.data() + 8, 8), 128};
}

}  // namespace

Outcome<std::vector<Prefix>> LocalAddresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return MakeDiagnostic(
        Code::kKernelRefused, {},
        "cannot list this host's addresses: " + std::generic_category().message(errno));
  }
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  std::vector<Prefix> addresses;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    const auto address = AddressOf(at->ifa_addr);
    if (!address || kLoopback4.Holds(*address) || kLoopback6.Holds(*address)) continue;
    addresses.push_back(*address);
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

Outcome<OwnAddresses> OwnAddresses::Open(int fd, const march_config& config) {
  auto memory = MapMemory::Open(fd, std::size_t{MARCH_OWN_LINES} * MARCH_OWN_MARKS,
                                "the gateway's own addresses");
  if (!memory.ok()) return std::move(memory).diagnostics();
  return OwnAddresses(std::move(memory).value(), config);
}

std::size_t OwnAddresses::Set(const std::vector<Prefix>& addresses) {
  std::array<std::set<std::uint64_t>, MARCH_OWN_LINES> wanted;
  for (const Prefix& address : addresses) {
    const std::uint64_t mark = march_address_mark(config_.secret[0], config_.secret[1],
                                                  address.family, address.hi, address.lo);
    wanted.at(march_own_line_of(mark)).insert(mark);
  }
  std::size_t without_room = 0;
  for (std::size_t line = 0; line < wanted.size(); ++line) {
    std::set<std::uint64_t>& marks = wanted.at(line);
    const auto words = memory_.words().subspan(line * MARCH_OWN_MARKS, MARCH_OWN_MARKS);
    for (std::uint64_t& word : words) {
      if (word != 0 && marks.erase(word) == 0) std::atomic_ref(word).store(0);
    }
    for (std::uint64_t& word : words) {
      if (word != 0 || marks.empty()) continue;
      std::atomic_ref(word).store(*marks.begin());
      marks.erase(marks.begin());
    }
    without_room += marks.size();
  }
  return without_room;
}

}  // namespace march::block
