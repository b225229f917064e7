// One host's end of its link with the gateway: frames go out and come in as they are, past the
// host's own network.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/bpf/unique_fd.h"
#include "tests/soak/frame.h"

namespace march::soak {

// An interface in a network namespace that `ip netns` knows.
struct Port {
  std::string place;
  std::string interface;
};

class Wire {
 public:
  // Errors of all functions: std::system_error.
  Wire(const Port& host, const Port& gateway);

  const Mac& mac() const { return mac_; }
  const Mac& gateway_mac() const { return gateway_mac_; }
  int fd() const { return socket_.get(); }

  void Send(std::span<const Frame> frames);
  // All that has come in by now.
  void Receive(const std::function<void(std::span<const std::uint8_t> frame)>& take);
  // Frames that came in since the last time and found no room in the socket.
  std::uint64_t Missed();

 private:
  bpf::UniqueFd socket_;
  Mac mac_{};
  Mac gateway_mac_{};
};

}  // namespace march::soak
