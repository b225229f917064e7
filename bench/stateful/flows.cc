#include "bench/stateful/flows.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "bench/common/fail.h"

namespace march::bench {
namespace {

constexpr std::size_t kOrder = 1U << 20;
constexpr std::uint64_t kSeed = 11;

// Ranks of Zipf's law with exponent 1, by inverting the continuous one; rank 0 is the most popular.
std::uint64_t ZipfRank(std::mt19937_64& random, std::uint64_t count) {
  const double u = std::uniform_real_distribution<double>(0, 1)(random);
  const double rank = std::exp(u * std::log(static_cast<double>(count) + 1)) - 1;
  return std::min(static_cast<std::uint64_t>(rank), count - 1);
}

}  // namespace

std::vector<PacketKind> OpeningOf(std::uint32_t protocol) {
  if (protocol == BENCH_TCP) return {kTcpSyn, kTcpSynAck, kTcpAck};
  return {kUdpRequest, kUdpReply, kUdpRequest};
}

FlowMaps::FlowMaps(BpfObject& object, const FlowSpace& space) : object_(object) {
  object.Resize("bench_order", kOrder);
  object.Load();
  flows_.order_mask = kOrder - 1;
  flows_.family = static_cast<std::uint32_t>(space.family);
  flows_.source_bits = space.source_bits;
  flows_.destination_bits = space.destination_bits;
}

void FlowMaps::OneOfEach(const PacketKind& kind, std::uint64_t first) {
  flows_.in_order = 0;
  flows_.first = first;
  Write(kind);
}

void FlowMaps::Mixed(const PacketKind& kind, std::uint64_t flows, Popularity popularity) {
  if (flows != ordered_flows_ || popularity != ordered_popularity_) FillOrder(flows, popularity);
  flows_.in_order = 1;
  Write(kind);
}

void FlowMaps::SetRoute(unsigned interface, const std::uint8_t* source_mac,
                        const std::uint8_t* destination_mac) {
  flows_.interface = interface;
  std::copy_n(source_mac, 6, flows_.source_mac);
  std::copy_n(destination_mac, 6, flows_.destination_mac);
}

std::uint64_t FlowMaps::sent() const {
  const std::uint32_t zero = 0;
  bench_flows now{};
  if (bpf_map_lookup_elem(object_.Map("bench_flows"), &zero, &now) != 0) Fail("read the flows");
  return now.next;
}

void FlowMaps::Write(const PacketKind& kind) {
  flows_.next = 0;
  flows_.protocol = kind.protocol;
  flows_.tcp_flags = kind.tcp_flags;
  flows_.reply = kind.reply;
  flows_.server_port = kind.server_port;
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(object_.Map("bench_flows"), &zero, &flows_, BPF_ANY) != 0) {
    Fail("set the flows");
  }
}

void FlowMaps::FillOrder(std::uint64_t flows, Popularity popularity) {
  std::mt19937_64 random(kSeed);
  std::vector<std::uint32_t> order(kOrder);
  for (std::uint32_t& flow : order) {
    flow = static_cast<std::uint32_t>(
        popularity == Popularity::kZipf
            ? ZipfRank(random, flows)
            : std::uniform_int_distribution<std::uint64_t>(0, flows - 1)(random));
  }
  const MappedArray memory(object_.Map("bench_order"), kOrder * sizeof(std::uint32_t));
  std::memcpy(memory.data(), order.data(), kOrder * sizeof(std::uint32_t));
  ordered_flows_ = flows;
  ordered_popularity_ = popularity;
}

}  // namespace march::bench
