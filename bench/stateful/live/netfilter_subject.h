// What nftables and iptables have in common as subjects: chains "denied" and, where they track
// connections, "opening" that count, and the kernel's table of connections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/stateful/live/connections.h"
#include "bench/stateful/live/live_subject.h"

namespace march::bench {

class NetfilterSubject : public LiveSubject {
 public:
  NetfilterSubject(const LiveSetup& setup, bool tracks)
      : gateway_(setup.router.gateway()), workspace_(setup.workspace), tracks_(tracks) {}

  std::optional<std::uint64_t> Denied() const final { return CountOf("denied"); }
  std::optional<std::uint64_t> Opening() const final {
    if (!tracks_) return {};
    return CountOf("opening");
  }
  std::optional<std::uint64_t> Known() const final {
    if (!tracks_) return {};
    return CountTracked(gateway_);
  }
  std::uint64_t Room() const final { return tracks_ ? MostTracked() : UINT64_MAX; }
  void ForgetConnections() final {
    if (tracks_) FlushTracked(gateway_);
  }

 protected:
  // Packets that came to a chain.
  virtual std::uint64_t CountOf(const std::string& chain) const = 0;

  const Namespace& gateway() const { return gateway_; }
  const Workspace& workspace() const { return workspace_; }

 private:
  const Namespace& gateway_;
  const Workspace& workspace_;
  bool tracks_;
};

}  // namespace march::bench
