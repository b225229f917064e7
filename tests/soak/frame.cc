#include "tests/soak/frame.h"

#include <algorithm>

#include "tests/soak/address.h"

namespace march::soak {
namespace {

using tests::ModelPacket;

constexpr std::uint32_t kIcmp = 1;
constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;
constexpr std::uint32_t kIcmpv6 = 58;

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kIpv4 = 20;
constexpr std::size_t kIpv6 = 40;
constexpr std::uint8_t kHops = 64;

// In the upper half of every number, so that frames of others are not taken for ours.
constexpr std::uint64_t kMark = 0x736F616B;
constexpr std::size_t kPaddings = 64;

class Writer {
 public:
  explicit Writer(Frame& frame) : frame_(frame) {}

  Writer& Put(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = bytes; i-- > 0;) {
      frame_.bytes[frame_.size++] = static_cast<std::uint8_t>(value >> (8 * i));
    }
    return *this;
  }
  Writer& Put(const Mac& mac) {
    for (const std::uint8_t byte : mac) Put(byte, 1);
    return *this;
  }
  Writer& PutAddress(std::uint64_t address) {
    const Place place = PlaceOf(address);
    if (!place.is_v6) return Put(10, 1).Put(place.side, 1).Put(place.network, 1).Put(place.host, 1);
    return Put(0x20010DB8, 4).Put(place.side, 2).Put(place.network, 2).Put(place.host, 8);
  }

 private:
  Frame& frame_;
};

// RFC 1071, not yet complemented.
std::uint64_t SumOf(std::span<const std::uint8_t> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint64_t>(bytes[i]) << 8 : bytes[i];
  }
  return sum;
}

void PutChecksum(Frame& frame, std::size_t at, std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  frame.bytes[at] = static_cast<std::uint8_t>(~sum >> 8);
  frame.bytes[at + 1] = static_cast<std::uint8_t>(~sum);
}

std::size_t HeaderOf(std::uint32_t protocol) {
  return protocol == kTcp ? 20 : 8;
}

std::size_t ChecksumAt(std::uint32_t protocol) {
  if (protocol == kTcp) return 16;
  return protocol == kUdp ? 6 : 2;
}

void PutIp(Writer& writer, Frame& frame, const ModelPacket& packet, std::uint32_t protocol,
           std::size_t bytes) {
  if (PlaceOf(packet.from.address).is_v6) {
    writer.Put(0x60000000, 4).Put(bytes, 2).Put(protocol, 1).Put(kHops, 1);
    writer.PutAddress(packet.from.address).PutAddress(packet.to.address);
    return;
  }
  // Do not fragment: so the kernel needs no identification.
  writer.Put(0x4500, 2).Put(kIpv4 + bytes, 2).Put(0x00004000, 4);
  writer.Put(kHops, 1).Put(protocol, 1).Put(0, 2);
  writer.PutAddress(packet.from.address).PutAddress(packet.to.address);
  PutChecksum(frame, kEthernet + 10, SumOf({frame.bytes.data() + kEthernet, kIpv4}));
}

void PutLayerFour(Writer& writer, const ModelPacket& packet, std::uint32_t protocol,
                  std::size_t bytes) {
  constexpr std::uint32_t kWindow = 0xFFFF;
  if (protocol == kTcp) {
    writer.Put(packet.from.port, 2).Put(packet.to.port, 2).Put(packet.sequence, 4);
    writer.Put(packet.acknowledged, 4).Put(0x5000 | packet.flags, 2).Put(kWindow, 2).Put(0, 4);
  } else if (protocol == kUdp) {
    writer.Put(packet.from.port, 2).Put(packet.to.port, 2).Put(bytes, 2).Put(0, 2);
  } else {
    const std::uint32_t request = protocol == kIcmp ? 8 : 128;
    const std::uint32_t answer = protocol == kIcmp ? 0 : 129;
    writer.Put(packet.is_answer ? answer : request, 1).Put(0, 3);
    writer.Put(packet.from.port, 2).Put(0, 2);
  }
}

// Of layer 4, with the pseudo-header that all but ICMP for IPv4 count in.
std::uint64_t SumOfLayerFour(const Frame& frame, std::size_t at, std::uint32_t protocol) {
  const std::size_t bytes = frame.size - at;
  std::uint64_t sum = SumOf({frame.bytes.data() + at, bytes});
  if (protocol == kIcmp) return sum;
  const std::size_t addresses = at == kEthernet + kIpv4 ? 8 : 32;
  sum += SumOf({frame.bytes.data() + at - addresses, addresses});
  return sum + protocol + bytes;
}

// Where layer 4 begins, and which it is; 0 if the frame is no plain IP.
struct Place4 {
  std::size_t at = 0;
  std::uint32_t protocol = 0;
};

Place4 LayerFourOf(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernet + kIpv4) return {};
  if (frame[12] == 0x08 && frame[13] == 0x00) return {kEthernet + kIpv4, frame[kEthernet + 9]};
  if (frame[12] == 0x86 && frame[13] == 0xDD) return {kEthernet + kIpv6, frame[kEthernet + 6]};
  return {};
}

bool IsSame(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

}  // namespace

Frame MakeFrame(const ModelPacket& packet, std::uint64_t number, const Mac& from, const Mac& to) {
  const bool is_v6 = PlaceOf(packet.from.address).is_v6;
  const std::uint32_t protocol = packet.protocol == kIcmp && is_v6 ? kIcmpv6 : packet.protocol;
  const std::size_t padding = number % kPaddings;
  const std::size_t bytes = HeaderOf(protocol) + sizeof(number) + padding;
  Frame frame;
  Writer writer(frame);
  writer.Put(to).Put(from).Put(is_v6 ? 0x86DD : 0x0800, 2);
  PutIp(writer, frame, packet, protocol, bytes);
  const std::size_t at = frame.size;
  PutLayerFour(writer, packet, protocol, bytes);
  writer.Put(kMark << 32 | number, sizeof(number));
  frame.size += padding;
  PutChecksum(frame, at + ChecksumAt(protocol), SumOfLayerFour(frame, at, protocol));
  return frame;
}

std::optional<std::uint64_t> NumberIn(std::span<const std::uint8_t> frame) {
  const auto [at, protocol] = LayerFourOf(frame);
  const std::size_t number_at = at + HeaderOf(protocol);
  if (at == 0 || frame.size() < number_at + 8) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | frame[number_at + i];
  if (number >> 32 != kMark) return std::nullopt;
  return number & 0xFFFFFFFF;
}

bool IsForwarded(std::span<const std::uint8_t> sent, std::span<const std::uint8_t> arrived) {
  if (sent.size() != arrived.size()) return false;
  const bool is_v6 = sent[12] == 0x86;
  const std::size_t hops = kEthernet + (is_v6 ? 7 : 8);
  if (arrived[hops] + 1 != sent[hops]) return false;
  if (!IsSame(sent.subspan(12, hops - 12), arrived.subspan(12, hops - 12))) return false;
  if (is_v6) return IsSame(sent.subspan(hops + 1), arrived.subspan(hops + 1));
  // The protocol, and what is behind the checksum.
  return sent[hops + 1] == arrived[hops + 1] &&
         IsSame(sent.subspan(hops + 4), arrived.subspan(hops + 4));
}

}  // namespace march::soak
