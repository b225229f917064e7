// Which packets of which connections are sent next.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/stateful/bpf/flows.h"
#include "compiler/space/address.h"

namespace march::bench {

// Where connections are made between.
struct FlowSpace {
  space::Family family = space::Family::kV4;
  unsigned source_bits = 12;  // 4,096 clients
  unsigned destination_bits = 10;

  std::uint32_t clients() const { return 1U << source_bits; }
  std::string_view family_name() const { return family == space::Family::kV4 ? "v4" : "v6"; }
};

// What each packet says, be it from the client to the server or back.
struct PacketKind {
  std::uint32_t protocol = BENCH_UDP;
  std::uint32_t tcp_flags = 0;
  bool reply = false;
  std::uint32_t server_port = BENCH_SERVER_PORT;
};

inline constexpr PacketKind kUdpRequest = {BENCH_UDP, 0, false};
inline constexpr PacketKind kUdpReply = {BENCH_UDP, 0, true};
inline constexpr PacketKind kUdpDenied = {BENCH_UDP, 0, false, BENCH_DENIED_PORT};
inline constexpr PacketKind kTcpSyn = {BENCH_TCP, BENCH_SYN, false};
inline constexpr PacketKind kTcpSynAck = {BENCH_TCP, BENCH_SYN | BENCH_ACK, true};
inline constexpr PacketKind kTcpAck = {BENCH_TCP, BENCH_ACK, false};

// The packets that make a connection, in order.
std::vector<PacketKind> OpeningOf(std::uint32_t protocol);

// Connections that are opened at a time, so that those which are open by half stay few.
inline constexpr std::uint64_t kOpenedAtOnce = 4096;

enum class Popularity { kUniform, kZipf };

// An object with the maps of bpf/flows.h, not loaded yet.
class FlowMaps {
 public:
  // Loads `object`.
  FlowMaps(BpfObject& object, const FlowSpace& space);

  // A packet each of the flows from `first` on.
  void OneOfEach(const PacketKind& kind, std::uint64_t first);
  // Packets of flows below `flows` in random order; at most 2^32.
  void Mixed(const PacketKind& kind, std::uint64_t flows, Popularity popularity);

  // Where frames leave from, for the packets that are set after this.
  void SetRoute(unsigned interface, const std::uint8_t* source_mac,
                const std::uint8_t* destination_mac);

  // Packets so far of those that were set last.
  std::uint64_t sent() const;

 private:
  void Write(const PacketKind& kind);
  void FillOrder(std::uint64_t flows, Popularity popularity);

  const BpfObject& object_;
  bench_flows flows_{};
  std::uint64_t ordered_flows_ = 0;
  Popularity ordered_popularity_ = Popularity::kUniform;
};

}  // namespace march::bench
