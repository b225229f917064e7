// What the kernel's routing decides by, as it tells over rtnetlink(7): whether one answer of its
// serves all packets to a destination.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

inline constexpr std::size_t kIpv4 = 0;
inline constexpr std::size_t kIpv6 = 1;

// Plain routing decides by a packet's destination, its class of service and the interface where it
// came in, and by nothing else: no rule asks for its source, ports, protocol or flow label, and no
// route has several next hops to spread connections over, or belongs to some sources only.
struct PlainRouting {
  bool ipv4 = false;
  bool ipv6 = false;

  bool operator==(const PlainRouting&) const = default;
};

// What messages tell, by family. What is not understood is taken for something that asks for more.
struct RoutingNews {
  std::array<bool, 2> changed{};    // a rule, a route or a next hop has come or gone, or is there
  std::array<bool, 2> asks_more{};  // one that has come, or is there, is not plain
  bool done = false;                // the answer to a question ends here
  bool failed = false;              // and is none, or not whole
  int error = 0;                    // why it is none (errno), if the kernel says
};

// Adds what a datagram of the kernel's says.
void ReadRoutingNews(std::string_view datagram, RoutingNews& news);

// Follows the rules, routes and next hops of this network namespace. Where the kernel does not
// tell, routing is not plain.
class RoutingWatch {
 public:
  using Clock = std::chrono::steady_clock;

  // While something asks for more, all is read anew, but no sooner than so, nor so often that it
  // takes more than a twentieth of the time.
  static constexpr std::chrono::seconds kReadAgainAfter{30};

  RoutingWatch();

  // Takes in what has changed, and says what is so at `now`.
  PlainRouting Look(Clock::time_point now);

  // Readable when something has changed since the last look; -1: the kernel does not tell.
  int fd() const { return changes_.get(); }

 private:
  // What has changed meanwhile.
  std::array<bool, 2> TakeNews();
  void ReadAll(std::size_t family, Clock::time_point now);

  UniqueFd changes_;
  std::vector<char> buffer_;
  std::array<bool, 2> asks_more_{true, true};
  std::array<Clock::time_point, 2> read_again_{};
};

}  // namespace march::bpf
