// A gateway between a client's and a server's network, each a namespace behind a veth.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/common/bpf_object.h"
#include "bench/common/network.h"
#include "bench/common/priority.h"
#include "bench/common/xdp.h"

namespace march::bench {

// Of who sends; see priority.h.
inline constexpr int kSenderRank = kUrgent;

// The gateway routes between `in`, where the clients are, and `out`, where the servers are. Both
// sides drop whatever arrives, at once and counted. The work of `in`, of `out` and of the servers'
// side is each that of a kernel thread of its own, all of them on one CPU with who sends: a batch
// is sent, then forwarded, then dropped, so nothing is lost, nobody works at the same time, and the
// gateway pays for sending a frame, but not for its reception.
class Router {
 public:
  Router();

  const Namespace& gateway() const { return gateway_; }
  const std::string& in() const { return in_; }
  const std::string& out() const { return out_; }
  unsigned in_index() const { return in_index_; }
  unsigned out_index() const { return out_index_; }

  // One of the networks around it, as who sends from there sees it.
  struct Side {
    const Namespace& place;
    unsigned interface;
    const std::uint8_t* mac;
    const std::uint8_t* gateway_mac;
  };
  Side clients() const;
  Side servers() const;

  InterfaceCounts CountsOfIn() const { return CountsOf(gateway_, in_); }
  InterfaceCounts CountsOfOut() const { return CountsOf(gateway_, out_); }
  // The thread that does all that becomes of a frame from the clients, until it is sent to the
  // servers. None where the kernel would not.
  std::optional<int> Thread() const { return thread_; }

 private:
  Namespace clients_;
  Namespace gateway_;
  Namespace servers_;
  std::string feed_, in_, out_, sink_;
  unsigned feed_index_ = 0, in_index_ = 0, out_index_ = 0, sink_index_ = 0;
  BpfObject drop_;
  std::optional<AttachedXdp> drop_at_feed_, drop_at_sink_;
  std::optional<int> thread_;
};

}  // namespace march::bench
