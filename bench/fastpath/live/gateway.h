// A host in the middle: two network namespaces joined by a veth pair, with nothing beyond.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/common/network.h"

namespace march::bench {

// The gateway: frames arrive on `in`; what it lets through it routes to `out`, a bridge
// without ports, which counts and drops. Its peer `feed`, in a namespace of its own, is where
// frames are sent from.
class Gateway {
 public:
  Gateway();

  const Namespace& inside() const { return inside_; }
  const Namespace& outside() const { return outside_; }
  const std::string& in() const { return in_; }
  unsigned in_index() const { return in_index_; }
  unsigned feed_index() const { return feed_index_; }

  InterfaceCounts CountsOfIn() const;
  InterfaceCounts CountsOfOut() const;

  // Serves `in` on a CPU of its own. None where there is only one, or the kernel would not.
  std::optional<int> ReceiverThread() const;

 private:
  Namespace inside_;
  Namespace outside_;
  std::string in_;
  unsigned in_index_ = 0;
  unsigned feed_index_ = 0;
};

inline constexpr std::uint8_t kGatewayMac[6] = {0x02, 0, 0, 0, 0, 2};
inline constexpr std::uint8_t kFeedMac[6] = {0x02, 0, 0, 0, 0, 1};

}  // namespace march::bench
