// What the kernel tells over netlink: where, and in which form (RFC 3549, 2.3.2; netlink(7)).
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

// Views of the bytes they were taken from.
struct NetlinkMessage {
  nlmsghdr header{};
  std::string_view payload;
};
struct NetlinkAttribute {
  std::uint16_t type = 0;  // without its flags
  std::string_view value;
};

// Both begin at multiples of so many bytes, and the last one need not be filled up to it.
inline void DropAligned(std::string_view& bytes, std::size_t length) {
  bytes.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(length), bytes.size()));
}

// A value at the beginning, if there are that many bytes.
template <class Value>
std::optional<Value> ReadValue(std::string_view bytes) {
  Value value{};
  if (bytes.size() < sizeof(value)) return std::nullopt;
  bytes.copy(reinterpret_cast<char*>(&value), sizeof(value));
  return value;
}

// Takes the first one off `bytes`. None: they do not begin with a whole one, and stay as they are.
inline std::optional<NetlinkMessage> TakeMessage(std::string_view& bytes) {
  const auto header = ReadValue<nlmsghdr>(bytes);
  if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > bytes.size()) {
    return std::nullopt;
  }
  const std::string_view message = bytes.substr(0, header->nlmsg_len);
  DropAligned(bytes, message.size());
  return NetlinkMessage{*header, message.substr(sizeof(nlmsghdr))};
}

inline std::optional<NetlinkAttribute> TakeAttribute(std::string_view& bytes) {
  const auto head = ReadValue<nlattr>(bytes);
  if (!head || head->nla_len < sizeof(nlattr) || head->nla_len > bytes.size()) return std::nullopt;
  const std::string_view attribute = bytes.substr(0, head->nla_len);
  DropAligned(bytes, attribute.size());
  return NetlinkAttribute{static_cast<std::uint16_t>(head->nla_type & NLA_TYPE_MASK),
                          attribute.substr(sizeof(nlattr))};
}

// A socket that never blocks, on which the kernel tells of changes in this network namespace, by
// groups of rtnetlink(7) (RTNLGRP_*). Not ok: it does not, and errno says why.
inline UniqueFd OpenRouteChanges(std::span<const int> groups) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (!fd.ok() ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return {};
  }
  for (const int group : groups) {
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
      return {};
    }
  }
  return fd;
}

}  // namespace march::bpf
