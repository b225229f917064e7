#include "tests/soak/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

namespace march::soak {
namespace {

constexpr std::size_t kAtOnce = 64;
// Far more than is ever under way.
constexpr int kSocketBytes = 64 * 1024 * 1024;

[[noreturn]] void Throw(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), "cannot " + what);
}

// In a thread of its own, since a thread that has gone in has no way back. A socket stays in the
// namespace where it was made.
void InNamespace(const std::string& name, const std::function<void()>& what) {
  std::exception_ptr error;
  std::thread([&] {
    try {
      const bpf::UniqueFd place(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
      if (!place.ok() || ::setns(place.get(), CLONE_NEWNET) != 0) Throw("enter " + name);
      what();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

Mac MacOf(const std::string& interface) {
  const bpf::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) Throw("read the MAC of " + interface);
  Mac mac;
  std::memcpy(mac.data(), request.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

void SetOption(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof(value)) != 0) Throw("set up a socket");
}

bpf::UniqueFd PacketSocket(const std::string& interface) {
  bpf::UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd.ok()) Throw("open a packet socket");
  SetOption(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kSocketBytes);
  SetOption(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kSocketBytes);
  SetOption(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Throw("listen to " + interface);
  }
  return fd;
}

}  // namespace

Wire::Wire(const Port& host, const Port& gateway) {
  InNamespace(gateway.place, [&] { gateway_mac_ = MacOf(gateway.interface); });
  InNamespace(host.place, [&] {
    mac_ = MacOf(host.interface);
    socket_ = PacketSocket(host.interface);
  });
}

void Wire::Send(std::span<const Frame> frames) {
  while (!frames.empty()) {
    std::array<mmsghdr, kAtOnce> messages{};
    std::array<iovec, kAtOnce> parts{};
    const std::size_t count = std::min(kAtOnce, frames.size());
    for (std::size_t i = 0; i < count; ++i) {
      // The kernel only reads them.
      parts[i] = {const_cast<std::uint8_t*>(frames[i].bytes.data()), frames[i].size};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int sent = ::sendmmsg(fd(), messages.data(), static_cast<unsigned>(count), 0);
    if (sent < 0 && errno != EINTR) Throw("send");
    frames = frames.subspan(static_cast<std::size_t>(std::max(sent, 0)));
  }
}

void Wire::Receive(const std::function<void(std::span<const std::uint8_t> frame)>& take) {
  std::array<std::array<std::uint8_t, 512>, kAtOnce> buffers;
  std::array<mmsghdr, kAtOnce> messages{};
  std::array<iovec, kAtOnce> parts{};
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    parts[i] = {buffers[i].data(), buffers[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (int got = static_cast<int>(kAtOnce); got == static_cast<int>(kAtOnce);) {
    got = ::recvmmsg(fd(), messages.data(), kAtOnce, MSG_DONTWAIT, nullptr);
    if (got < 0 && errno != EAGAIN && errno != EINTR) Throw("receive");
    for (int i = 0; i < got; ++i) {
      const auto at = static_cast<std::size_t>(i);
      take({buffers[at].data(), messages[at].msg_len});
    }
  }
}

std::uint64_t Wire::Missed() {
  tpacket_stats statistics{};
  socklen_t size = sizeof(statistics);
  if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
    Throw("read a socket's statistics");
  }
  return statistics.tp_drops;
}

}  // namespace march::soak
