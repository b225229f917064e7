#include "tests/soak/exchange.h"

#include <poll.h>

#include <chrono>
#include <utility>

#include "tests/soak/address.h"
#include "tests/soak/policy.h"

namespace march::soak {
namespace {

using tests::ModelPacket;
using Clock = std::chrono::steady_clock;

// What has not arrived by then never does.
constexpr std::chrono::seconds kPatience{5};

std::size_t IndexOf(std::uint32_t side) {
  return side - kClientSide;
}

ModelPacket Fence(std::uint32_t side) {
  ModelPacket packet;
  packet.protocol = 17;
  packet.from = {AddressOf({false, side, kFenceNetwork, kFenceHost}), kFencePort};
  packet.to = {AddressOf({false, OtherSide(side), kFenceNetwork, kFenceHost}), kFencePort};
  return packet;
}

std::string EndText(const tests::End& end) {
  const Place place = PlaceOf(end.address);
  const std::string address = place.is_v6 ? "[" + TextOf(place) + "]" : TextOf(place);
  return address + ":" + std::to_string(end.port);
}

std::string FlagsText(std::uint32_t flags) {
  std::string text;
  for (const auto& [flag, name] : {std::pair(tests::kTcpSyn, " SYN"),
                                   {tests::kTcpAck, " ACK"},
                                   {tests::kTcpFin, " FIN"},
                                   {tests::kTcpRst, " RST"}}) {
    if ((flags & flag) != 0) text += name;
  }
  return text;
}

}  // namespace

std::string TextOf(const ModelPacket& packet) {
  const std::string ends = " " + EndText(packet.from) + " > " + EndText(packet.to);
  if (packet.protocol == 17) return "udp" + ends;
  if (packet.protocol == 1) return (packet.is_answer ? "echo reply" : "echo request") + ends;
  return "tcp" + FlagsText(packet.flags) + ends + " seq " + std::to_string(packet.sequence) +
         " ack " + std::to_string(packet.acknowledged);
}

void Exchange::Blame(const Sent& sent, const std::string& what, bool whenever) {
  if (!fault_ || (whenever && !fault_->whenever)) fault_ = Fault{what, sent.out, whenever};
}

void Exchange::Write(const Outgoing& packet, bool is_fence) {
  const std::uint32_t side = PlaceOf(packet.packet.from.address).side;
  const Wire& wire = *wires_[IndexOf(side)];
  const std::uint64_t number = next_number_++;
  const Frame frame = MakeFrame(packet.packet, number, wire.mac(), wire.gateway_mac());
  frames_[IndexOf(side)].push_back(frame);
  all_.push_back({packet, number, frame, is_fence, false});
  if (packet.expected == Verdict::kPass) ++missing_;
}

void Exchange::Arrive(std::uint32_t side, Sent& sent, bool is_last,
                      std::span<const std::uint8_t> frame) {
  if (PlaceOf(sent.out.packet.to.address).side != side) return Blame(sent, "came back", true);
  if (sent.has_arrived) return Blame(sent, "arrived twice", true);
  if (!IsForwarded(sent.frame.span(), frame)) {
    return Blame(sent, "arrived otherwise than sent", true);
  }
  sent.has_arrived = true;
  if (!sent.is_fence) ++passed_;
  if (sent.out.expected == Verdict::kDrop) return Blame(sent, "passed, and had to be dropped");
  // What this exchange waits for is its own.
  if (is_last) return;
  if (sent.out.expected == Verdict::kPass) --missing_;
  if (sent.is_fence && --missing_fences_ == 0) judged_at_ = flows::CurrentTick();
}

void Exchange::Take(std::uint32_t side, std::span<const std::uint8_t> frame) {
  const auto number = NumberIn(frame);
  if (!number) return;
  // The kernel may put a frame behind a fence that came after it (GRO).
  for (std::vector<Sent>* sent : {&all_, &last_}) {
    if (sent->empty() || *number < sent->front().number) continue;
    const std::uint64_t at = *number - sent->front().number;
    if (at < sent->size()) return Arrive(side, (*sent)[at], sent == &last_, frame);
  }
  Blame({}, "a packet arrived that was sent long ago");
}

void Exchange::WaitForAll() {
  const auto until = Clock::now() + kPatience;
  while (true) {
    for (const std::uint32_t side : {kClientSide, kServerSide}) {
      wires_[IndexOf(side)]->Receive(
          [&](std::span<const std::uint8_t> frame) { Take(side, frame); });
    }
    if (IsComplete() || Clock::now() > until) return;
    pollfd ready[2] = {{wires_[0]->fd(), POLLIN, 0}, {wires_[1]->fd(), POLLIN, 0}};
    ::poll(ready, 2, 100);
  }
}

std::optional<Fault> Exchange::Run(const std::vector<Outgoing>& packets) {
  last_.swap(all_);
  all_.clear();
  missing_ = 0;
  missing_fences_ = wires_.size();
  judged_at_ = 0;
  fault_.reset();
  for (auto& frames : frames_) frames.clear();
  for (const Outgoing& packet : packets) Write(packet, false);
  for (const std::uint32_t side : {kClientSide, kServerSide}) {
    Write({Fence(side), Verdict::kPass, kNoConversation}, true);
  }
  for (const std::uint32_t side : {kClientSide, kServerSide}) {
    wires_[IndexOf(side)]->Send(frames_[IndexOf(side)]);
  }
  sent_ += packets.size();
  WaitForAll();
  for (const Sent& sent : all_) {
    if (sent.out.expected == Verdict::kPass && !sent.has_arrived) {
      Blame(sent,
            sent.is_fence ? "is a fence that did not arrive" : "was dropped, and had to pass");
    }
  }
  return fault_;
}

}  // namespace march::soak
