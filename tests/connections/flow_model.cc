#include "tests/connections/flow_model.h"

#include <utility>

namespace march::tests {
namespace {

constexpr std::uint32_t kIcmp = 1;
constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;

bool Has(std::uint32_t flags, std::uint32_t which) {
  return (flags & which) == which;
}

bool IsOver(const ModelFlow& flow) {
  return Has(flow.state, MARCH_FLOW_RESET) || Has(flow.state, MARCH_FLOW_FINS) ||
         Has(flow.state, MARCH_FLOW_CUT);
}

void Count(ModelFlow& flow, const ModelPacket& packet, bool is_reply) {
  (is_reply ? flow.reply_packets : flow.packets) += 1;
  (is_reply ? flow.reply_bytes : flow.bytes) += packet.bytes;
}

}  // namespace

std::uint32_t FlowModel::TimeoutOf(const ModelFlow& flow) const {
  const auto timeout = [&](march_timeout which) { return config_.flows.timeouts[which]; };
  const bool is_established = Has(flow.state, MARCH_FLOW_ESTABLISHED);
  if (flow.protocol == kIcmp) return timeout(MARCH_TIMEOUT_ICMP);
  if (flow.protocol == kUdp) {
    return timeout(is_established ? MARCH_TIMEOUT_UDP : MARCH_TIMEOUT_UDP_NEW);
  }
  if (flow.protocol != kTcp) return timeout(MARCH_TIMEOUT_OTHER);
  if (Has(flow.state, MARCH_FLOW_RESET) || Has(flow.state, MARCH_FLOW_FINS)) {
    return timeout(MARCH_TIMEOUT_TCP_CLOSED);
  }
  if ((flow.state & MARCH_FLOW_FINS) != 0) return timeout(MARCH_TIMEOUT_TCP_CLOSING);
  return timeout(is_established ? MARCH_TIMEOUT_TCP_ESTABLISHED : MARCH_TIMEOUT_TCP_OPENING);
}

// A deadline that is only a little later is not written.
void FlowModel::Prolong(ModelFlow& flow, std::uint32_t now) const {
  const std::uint32_t deadline = now + TimeoutOf(flow);
  if (deadline < flow.deadline || deadline >= flow.deadline + MARCH_FLOW_SLACK) {
    flow.deadline = deadline;
  }
}

void FlowModel::Finish(const ModelFlow& flow) {
  ended_[flow.id] = flow;
  flows_.erase({flow.protocol, flow.opener, flow.other});
}

ModelFlow* FlowModel::Find(const ModelPacket& packet, std::uint32_t now, bool& is_reply) {
  for (const bool reply : {false, true}) {
    if (packet.protocol == kIcmp && reply != packet.is_answer) continue;
    const auto found = flows_.find(
        {packet.protocol, reply ? packet.to : packet.from, reply ? packet.from : packet.to});
    if (found == flows_.end()) continue;
    if (found->second.deadline < now) {
      Finish(ModelFlow(found->second));
      continue;
    }
    is_reply = reply;
    return &found->second;
  }
  return nullptr;
}

bool FlowModel::Judge(const ModelPacket& packet, std::uint32_t id, std::uint32_t now) {
  // The test's policies allow no answers of ICMP.
  if (packet.is_answer || !allows_(packet.protocol, packet.from, packet.to)) return false;
  const bool is_tcp = packet.protocol == kTcp;
  if (is_tcp && (packet.flags & (kTcpFin | kTcpRst)) != 0) return true;
  ModelFlow flow;
  flow.id = id;
  flow.protocol = packet.protocol;
  flow.opener = packet.from;
  flow.other = packet.to;
  if (is_tcp && Has(packet.flags, kTcpSyn) && !Has(packet.flags, kTcpAck)) {
    flow.state = MARCH_FLOW_SYN;
  }
  flow.generation = generation_;
  flow.deadline = now + TimeoutOf(flow);
  Count(flow, packet, false);
  flows_[{flow.protocol, flow.opener, flow.other}] = flow;
  return true;
}

bool FlowModel::JudgeAgain(ModelFlow& flow, const ModelPacket& packet, bool is_reply,
                           std::uint32_t now) {
  if (!allows_(flow.protocol, flow.opener, flow.other)) {
    flow.is_forbidden = true;
    Finish(ModelFlow(flow));
    return false;
  }
  flow.generation = generation_;
  Count(flow, packet, is_reply);
  if (flow.protocol != kTcp) return true;
  const std::uint32_t before = flow.state;
  if (Has(packet.flags, kTcpRst)) flow.state |= MARCH_FLOW_RESET;
  if (Has(packet.flags, kTcpFin)) {
    flow.state |= is_reply ? MARCH_FLOW_FIN_REPLY : MARCH_FLOW_FIN_FORWARD;
  }
  const bool ends = (packet.flags & (kTcpRst | kTcpFin)) != 0;
  if (ends || flow.state != before) Prolong(flow, now);
  return true;
}

void FlowModel::Advance(ModelFlow& flow, const ModelPacket& packet, bool is_reply,
                        std::uint32_t now) {
  Count(flow, packet, is_reply);
  const bool is_tcp = flow.protocol == kTcp;
  if (is_tcp && Has(packet.flags, kTcpRst)) {
    flow.state |= MARCH_FLOW_RESET;
    return Prolong(flow, now);
  }
  if (is_tcp && Has(packet.flags, kTcpFin)) {
    flow.state |= is_reply ? MARCH_FLOW_FIN_REPLY : MARCH_FLOW_FIN_FORWARD;
  }
  const bool shakes_hands = is_tcp && Has(flow.state, MARCH_FLOW_SYN);
  const bool was_answered = Has(flow.state, MARCH_FLOW_ANSWERED);
  if (is_reply && !was_answered) {
    if (!shakes_hands || Has(packet.flags, kTcpSyn | kTcpAck)) {
      flow.state |= MARCH_FLOW_ANSWERED;
      flow.isn = packet.sequence;
    }
  } else if (!is_reply && was_answered && !Has(flow.state, MARCH_FLOW_ESTABLISHED)) {
    const bool acknowledges = Has(packet.flags, kTcpAck) && !Has(packet.flags, kTcpSyn) &&
                              packet.acknowledged - flow.isn - 1 <= 0xFFFF;
    if (!shakes_hands || acknowledges) {
      flow.state |= MARCH_FLOW_ESTABLISHED;
      flow.deadline = now + TimeoutOf(flow);
      return;
    }
  }
  Prolong(flow, now);
}

bool FlowModel::Send(const ModelPacket& packet, std::uint32_t id, std::uint32_t now) {
  bool is_reply = false;
  ModelFlow* flow = Find(packet, now, is_reply);
  if (flow == nullptr) return Judge(packet, id, now);
  const bool begins_anew =
      packet.protocol == kTcp && Has(packet.flags, kTcpSyn) && !Has(packet.flags, kTcpAck);
  if (begins_anew && IsOver(*flow)) {
    Finish(ModelFlow(*flow));
    return Judge(packet, id, now);
  }
  if (Has(flow->state, MARCH_FLOW_CUT)) return false;
  if (flow->generation != generation_) return JudgeAgain(*flow, packet, is_reply, now);
  Advance(*flow, packet, is_reply, now);
  return true;
}

void FlowModel::Cut(std::uint32_t now, const std::function<bool(const ModelFlow&)>& matches) {
  for (auto& [key, flow] : flows_) {
    if (flow.deadline < now || Has(flow.state, MARCH_FLOW_CUT) || !matches(flow)) continue;
    flow.state |= MARCH_FLOW_CUT;
    flow.deadline = now + TimeoutOf(flow);
  }
}

std::map<std::uint32_t, ModelFlow> FlowModel::Living(std::uint32_t now) {
  std::map<std::uint32_t, ModelFlow> living;
  std::vector<ModelFlow> over;
  for (const auto& [key, flow] : flows_) {
    if (flow.deadline < now) {
      over.push_back(flow);
    } else {
      living[flow.id] = flow;
    }
  }
  for (const ModelFlow& flow : over) Finish(flow);
  return living;
}

}  // namespace march::tests
