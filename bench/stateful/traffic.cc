#include "bench/stateful/traffic.h"

namespace march::bench {

const std::vector<TrafficKind>& TrafficKinds() {
  static const std::vector<TrafficKind> kinds = {
      {"established-tcp",
       "TCP connections are made first (SYN, SYN-ACK, ACK), then their clients send, in random "
       "order, each as often as every other",
       Task::kConnections, kTcpAck, true, false},
      {"established-udp", "likewise, after a datagram and its reply", Task::kConnections,
       kUdpRequest, true, false},
      {"new-udp", "every packet is a datagram of a flow never seen before", Task::kConnections,
       kUdpRequest, false, true},
      {"new-tcp", "every packet is the SYN of a connection never seen before", Task::kConnections,
       kTcpSyn, false, true},
      {"flood-tcp", "likewise, and more of them than there is room for", Task::kFlood, kTcpSyn,
       false, true},
      {"within-limit", "datagrams from sources none of which exceeds its limit", Task::kLimit,
       kUdpRequest, false, false},
      {"over-limit", "datagrams from sources each of which exceeds its limit many times over",
       Task::kLimit, kUdpRequest, false, false, 0, 0.25},
      {"not-blocked", "datagrams from sources that are not on the block list", Task::kBlock,
       kUdpRequest, false, false},
      {"blocked", "datagrams from sources that are on the block list", Task::kBlock, kUdpRequest,
       false, false, 0, 0},
  };
  return kinds;
}

}  // namespace march::bench
