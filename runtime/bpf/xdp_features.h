// What a network driver can do with XDP frames, as the kernel tells it over generic netlink (family
// "netdev", since Linux 6.3).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace march::bpf {

// enum netdev_xdp_act. Frames that a program redirects here are sent.
inline constexpr std::uint64_t kXdpTransmits = 4;

// By interface number. None: this kernel does not tell; an interface that is missing is gone.
std::optional<std::map<unsigned, std::uint64_t>> XdpFeatures(
    const std::vector<unsigned>& ifindexes);

}  // namespace march::bpf
