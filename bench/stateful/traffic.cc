#include "bench/stateful/traffic.h"

#include <algorithm>

namespace march::bench {

const std::vector<TrafficKind>& TrafficKinds() {
  static const std::vector<TrafficKind> kinds = {
      {"established-tcp",
       "TCP connections are made first (SYN, SYN-ACK, ACK), then their clients send, in random "
       "order",
       kTcpAck, true},
      {"established-udp", "likewise, after a datagram, its reply and another datagram", kUdpRequest,
       true},
      {"new-tcp", "every packet is the SYN of a connection never seen before; there is room",
       kTcpSyn, false, true},
      {"new-udp", "every packet is a datagram of a flow never seen before; there is room",
       kUdpRequest, false, true},
      {"flood-tcp", "as new-tcp, but many more than there is room for", kTcpSyn, false, true, true},
      {"denied", "datagrams to a port that the policy does not allow", kUdpDenied, false, false,
       false, Judge::kPolicy, 0, 0},
      {kWithinLimit, "datagrams from sources none of which exceeds its limit", kUdpRequest},
      {kOverLimit, "datagrams from sources each of which exceeds its limit many times over",
       kUdpRequest, false, false, false, Judge::kFeature, 0, 0.25},
      {kNotBlocked, "datagrams from sources that are not on the block list", kUdpRequest},
      {kBlocked, "datagrams from sources that are on the block list", kUdpRequest, false, false,
       false, Judge::kFeature, 0, 0},
  };
  return kinds;
}

bool TakesPart(const std::vector<std::string_view>& names, std::string_view traffic) {
  return names.empty() || std::find(names.begin(), names.end(), traffic) != names.end();
}

}  // namespace march::bench
