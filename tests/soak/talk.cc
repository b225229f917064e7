#include "tests/soak/talk.h"

#include <iterator>

#include "tests/soak/address.h"
#include "tests/soak/policy.h"

namespace march::soak {
namespace {

using tests::kTcpAck;
using tests::kTcpFin;
using tests::kTcpRst;
using tests::kTcpSyn;
using tests::ModelPacket;
using tests::Random;

constexpr std::uint32_t kIcmp = 1;
constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;
constexpr std::uint32_t kProtocols[] = {kTcp, kTcp, kTcp, kUdp, kUdp, kIcmp};

// Of openers on either side. An identifier of ICMP is the same for both ends, so those of the two
// sides must not meet.
constexpr std::uint32_t kFirstPortOfClients = 20000;
constexpr std::uint32_t kFirstPortOfServers = 40000;
constexpr std::uint32_t kPorts = 20000;

// One packet in so many.
constexpr std::uint32_t kStray = 12;
constexpr std::uint32_t kReset = 60;
constexpr std::uint32_t kStrayFlags[] = {
    kTcpSyn, kTcpSyn | kTcpAck, kTcpAck, kTcpAck, kTcpFin | kTcpAck, kTcpRst, kTcpRst | kTcpAck, 0};

}  // namespace

Talk::Talk(std::uint64_t number, Random& random)
    : protocol_(kProtocols[random.Below(std::size(kProtocols))]), left_(3 + random.Below(60)) {
  Place opener;
  opener.is_v6 = random.OneIn(2);
  opener.side = random.OneIn(4) ? kServerSide : kClientSide;
  opener.network = kFirstNetwork + static_cast<std::uint32_t>(number % kNetworks);
  opener.host = 1 + static_cast<std::uint32_t>(number / kNetworks % kHosts);
  const std::uint32_t port =
      (opener.side == kClientSide ? kFirstPortOfClients : kFirstPortOfServers) +
      static_cast<std::uint32_t>(number / (kNetworks * kHosts) % kPorts);
  const Place other = {opener.is_v6, OtherSide(opener.side),
                       kFirstNetwork + random.Below(kNetworks), 1 + random.Below(kHosts)};
  opener_ = {AddressOf(opener), port};
  // Of ICMP, both are the identifier.
  other_ = {AddressOf(other),
            protocol_ == kIcmp ? port : kServicePorts[random.Below(std::size(kServicePorts))]};
  BeginAnew(random);
  // It was there before the gateway.
  if (random.OneIn(6)) stage_ = Stage::kData;
}

void Talk::BeginAnew(Random& random) {
  stage_ = Stage::kSyn;
  opener_ends_ = random.OneIn(2);
  opener_isn_ = static_cast<std::uint32_t>(random.Next());
  other_isn_ = static_cast<std::uint32_t>(random.Next());
}

ModelPacket Talk::From(bool is_openers) const {
  ModelPacket packet;
  packet.protocol = protocol_;
  packet.from = is_openers ? opener_ : other_;
  packet.to = is_openers ? other_ : opener_;
  return packet;
}

Talk::Segment Talk::Planned(Random& random) const {
  switch (stage_) {
    case Stage::kSyn:
      return {true, kTcpSyn};
    case Stage::kSynAck:
      return {false, kTcpSyn | kTcpAck};
    case Stage::kAck:
      return {true, kTcpAck};
    case Stage::kData:
      return {random.OneIn(2), kTcpAck};
    case Stage::kFin:
      return {opener_ends_, kTcpFin | kTcpAck};
    case Stage::kFinBack:
      return {!opener_ends_, kTcpFin | kTcpAck};
    case Stage::kLastAck:
      break;
  }
  return {opener_ends_, kTcpAck};
}

void Talk::Shape(ModelPacket& packet, const Segment& segment, Random& random) const {
  packet.flags = segment.flags;
  packet.sequence = segment.is_openers ? opener_isn_ : other_isn_;
  packet.acknowledged = (segment.is_openers ? other_isn_ : opener_isn_) + 1;
  if ((segment.flags & kTcpSyn) == 0) packet.sequence += 1 + random.Below(1000);
  // Acknowledged what was never sent.
  if (random.OneIn(16)) packet.acknowledged = static_cast<std::uint32_t>(random.Next());
}

ModelPacket Talk::NextSegment(Random& random) {
  Segment segment = Planned(random);
  is_planned_ = !random.OneIn(kStray);
  if (!is_planned_) {
    segment = {random.OneIn(2), kStrayFlags[random.Below(std::size(kStrayFlags))]};
  } else if (random.OneIn(kReset)) {
    segment = {random.OneIn(2), kTcpRst | kTcpAck};
    left_ = 1 + random.Below(8);
    if (random.OneIn(2)) stage_ = Stage::kSyn;
  }
  ModelPacket packet = From(segment.is_openers);
  Shape(packet, segment, random);
  return packet;
}

ModelPacket Talk::NextDatagram(Random& random) {
  // The first one is mostly the opener's.
  const bool is_first = stage_ == Stage::kSyn;
  return From(is_first ? !random.OneIn(8) : random.OneIn(2));
}

ModelPacket Talk::NextEcho(Random& random) {
  const bool is_first = stage_ == Stage::kSyn;
  const bool is_answer = is_first ? random.OneIn(8) : random.OneIn(2);
  // Only the opener asks. If both did, by the same identifier, their flows would have one hash, and
  // once in so many times as a table has buckets no room for the second. But it may answer what
  // nobody has asked.
  ModelPacket packet = From(!is_answer || random.OneIn(10));
  packet.is_answer = is_answer;
  return packet;
}

ModelPacket Talk::Next(Random& random) {
  --left_;
  is_planned_ = true;
  if (protocol_ == kTcp) return NextSegment(random);
  return protocol_ == kUdp ? NextDatagram(random) : NextEcho(random);
}

void Talk::Proceed(Random& random) {
  if (stage_ == Stage::kData && !random.OneIn(12)) return;
  if (stage_ == Stage::kLastAck) return BeginAnew(random);
  stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
}

void Talk::Learn(bool has_passed, Random& random) {
  if (!is_planned_) return;
  if (has_passed || random.OneIn(3)) Proceed(random);
}

}  // namespace march::soak
