#include "runtime/bpf/xdp_features.h"

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "runtime/bpf/netlink.h"
#include "runtime/bpf/unique_fd.h"

namespace march::bpf {
namespace {

// linux/netdev.h
constexpr std::uint8_t kGetDevice = 1;
constexpr std::uint16_t kDeviceIfindex = 1;
constexpr std::uint16_t kDeviceFeatures = 3;

constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};
constexpr std::size_t kAnswerBytes = 8192;
constexpr std::size_t kHeadBytes = sizeof(nlattr);
constexpr std::size_t kHeadersBytes = sizeof(nlmsghdr) + sizeof(genlmsghdr);

using Answer = std::array<char, kAnswerBytes>;

struct Request {
  nlmsghdr header;
  genlmsghdr generic;
  std::array<char, 64> attributes;
};

// One attribute and the request's answer to it.
class Netlink {
 public:
  Netlink() : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC)) {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  }

  // Into `answer`, with its length; 0: none, or an error.
  std::size_t Ask(std::uint16_t family, std::uint8_t command, std::uint16_t attribute,
                  std::string_view value, Answer& answer) {
    Request request{};
    const auto length = static_cast<std::uint16_t>(kHeadBytes + value.size());
    const nlattr head{length, attribute};
    if (length > request.attributes.size()) return 0;
    std::memcpy(request.attributes.data(), &head, sizeof(head));
    std::memcpy(request.attributes.data() + kHeadBytes, value.data(), value.size());
    request.header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_ALIGN(kHeadersBytes + length));
    request.header.nlmsg_type = family;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.header.nlmsg_seq = ++sequence_;
    request.generic.cmd = command;
    request.generic.version = 1;
    if (::send(fd_.get(), &request, request.header.nlmsg_len, 0) < 0) return 0;
    const ssize_t got = ::recv(fd_.get(), answer.data(), answer.size(), 0);
    if (got < static_cast<ssize_t>(kHeadersBytes)) return 0;
    nlmsghdr header{};
    std::memcpy(&header, answer.data(), sizeof(header));
    const bool is_ours = header.nlmsg_seq == sequence_ && header.nlmsg_type == family &&
                         header.nlmsg_len <= static_cast<std::size_t>(got);
    return is_ours ? header.nlmsg_len : 0;
  }

 private:
  UniqueFd fd_;
  std::uint32_t sequence_ = 0;
};

// An attribute's value, if it is that long.
template <class Value>
std::optional<Value> Find(const Answer& answer, std::size_t length, std::uint16_t type) {
  std::string_view rest(answer.data(), length);
  rest.remove_prefix(std::min(kHeadersBytes, length));
  while (const auto attribute = TakeAttribute(rest)) {
    if (attribute->type == type && attribute->value.size() == sizeof(Value)) {
      return ReadValue<Value>(attribute->value);
    }
  }
  return std::nullopt;
}

template <class Value>
std::string_view BytesOf(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

}  // namespace

std::optional<std::map<unsigned, std::uint64_t>> XdpFeatures(
    const std::vector<unsigned>& ifindexes) {
  constexpr std::array<char, 7> kName = {"netdev"};
  Netlink netlink;
  Answer answer{};
  std::size_t length = netlink.Ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
                                   {kName.data(), kName.size()}, answer);
  const auto family = Find<std::uint16_t>(answer, length, CTRL_ATTR_FAMILY_ID);
  if (!family) return std::nullopt;
  std::map<unsigned, std::uint64_t> features;
  for (const unsigned ifindex : ifindexes) {
    length = netlink.Ask(*family, kGetDevice, kDeviceIfindex, BytesOf(ifindex), answer);
    const auto found = Find<std::uint64_t>(answer, length, kDeviceFeatures);
    if (found) features[ifindex] = *found;
  }
  return features;
}

}  // namespace march::bpf
