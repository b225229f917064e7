// What connections are meant to do, written down as simply as possible: flows in a map, none ever
// evicted. The tests hold bpf-templates/common/flow.h against it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "bundle/abi/config.h"

namespace march::tests {

// RFC 9293, section 3.1.
inline constexpr std::uint32_t kTcpFin = 1;
inline constexpr std::uint32_t kTcpSyn = 2;
inline constexpr std::uint32_t kTcpRst = 4;
inline constexpr std::uint32_t kTcpAck = 16;

struct End {
  std::uint64_t address = 0;
  std::uint32_t port = 0;  // ICMP: the identifier

  friend auto operator<=>(const End&, const End&) = default;
};

struct ModelPacket {
  std::uint32_t protocol = 6;
  End from;
  End to;
  bool is_answer = false;  // ICMP: to an echo request
  std::uint32_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint32_t bytes = 0;
};

struct ModelFlow {
  std::uint32_t id = 0;
  std::uint32_t protocol = 0;
  End opener;
  End other;
  std::uint32_t state = 0;  // MARCH_FLOW_*
  std::uint32_t isn = 0;
  std::uint32_t generation = 0;
  std::uint32_t deadline = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t reply_packets = 0;
  std::uint64_t reply_bytes = 0;
  bool is_forbidden = false;
};

class FlowModel {
 public:
  // Whether the policy in force allows a flow from one end to another.
  using Allows = std::function<bool(std::uint32_t protocol, const End& from, const End& to)>;

  explicit FlowModel(const march_config& config) : config_(config) {}

  void Enforce(Allows allows) {
    allows_ = std::move(allows);
    ++generation_;
  }
  std::uint32_t generation() const { return generation_; }

  // Whether the packet passes; `id` is that of a flow which it opens.
  bool Send(const ModelPacket& packet, std::uint32_t id, std::uint32_t now);
  void Cut(std::uint32_t now, const std::function<bool(const ModelFlow&)>& matches);

  // By id. Those whose deadline has passed move to `ended`.
  std::map<std::uint32_t, ModelFlow> Living(std::uint32_t now);
  const std::map<std::uint32_t, ModelFlow>& ended() const { return ended_; }

 private:
  using Key = std::tuple<std::uint32_t, End, End>;  // protocol, opener, other

  ModelFlow* Find(const ModelPacket& packet, std::uint32_t now, bool& is_reply);
  bool Judge(const ModelPacket& packet, std::uint32_t id, std::uint32_t now);
  bool JudgeAgain(ModelFlow& flow, const ModelPacket& packet, bool is_reply, std::uint32_t now);
  void Advance(ModelFlow& flow, const ModelPacket& packet, bool is_reply, std::uint32_t now);
  void Prolong(ModelFlow& flow, std::uint32_t now) const;
  void Finish(const ModelFlow& flow);
  std::uint32_t TimeoutOf(const ModelFlow& flow) const;

  march_config config_;
  Allows allows_;
  std::uint32_t generation_ = 0;
  std::map<Key, ModelFlow> flows_;
  std::map<std::uint32_t, ModelFlow> ended_;
};

}  // namespace march::tests
