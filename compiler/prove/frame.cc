#include "compiler/prove/frame.h"

#include <cstddef>

#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

using Bytes = std::vector<std::uint8_t>;

void Put(Bytes& bytes, space::Uint128 value, unsigned size) {
  for (unsigned i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

Bytes LayerFour(const space::Flow& flow) {
  Bytes bytes;
  if (flow.later_fragment) return Bytes(8, 0);
  switch (flow.protocol) {
    case space::kTcp:
      Put(bytes, flow.source_port, 2);
      Put(bytes, flow.destination_port, 2);
      Put(bytes, 0, 8);
      Put(bytes, 0x5002, 2);  // five words, SYN
      Put(bytes, 0xFFFF, 2);
      Put(bytes, 0, 4);
      break;
    case space::kUdp:
      Put(bytes, flow.source_port, 2);
      Put(bytes, flow.destination_port, 2);
      Put(bytes, 8, 2);
      Put(bytes, 0, 2);
      break;
    case space::kSctp:
      Put(bytes, flow.source_port, 2);
      Put(bytes, flow.destination_port, 2);
      Put(bytes, 0, 8);
      break;
    default:
      Put(bytes, flow.icmp_type, 1);
      Put(bytes, flow.icmp_code, 1);
      Put(bytes, 0, 6);
  }
  return bytes;
}

std::uint16_t Checksum(const Bytes& bytes, std::size_t from) {
  std::uint32_t sum = 0;
  for (std::size_t i = from; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i]) << 8 | bytes[i + 1];
  }
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::vector<std::uint8_t> BuildFrame(const space::Flow& flow) {
  constexpr std::uint16_t kFragmentOffset = 185;  // in units of 8 bytes: behind a full first frame
  constexpr std::uint8_t kFragmentHeader = 44;
  const Bytes payload = LayerFour(flow);
  Bytes frame;
  Put(frame, 0x020000000001, 6);
  Put(frame, 0x020000000002, 6);
  if (flow.source.family == space::Family::kV4) {
    Put(frame, 0x0800, 2);
    const std::size_t header = frame.size();
    Put(frame, 0x4500, 2);
    Put(frame, 20 + payload.size(), 2);
    Put(frame, 0, 2);
    Put(frame, flow.later_fragment ? kFragmentOffset : 0, 2);
    Put(frame, 64, 1);
    Put(frame, flow.protocol, 1);
    Put(frame, 0, 2);
    Put(frame, flow.source.value, 4);
    Put(frame, flow.destination.value, 4);
    const std::uint16_t checksum = Checksum(frame, header);
    frame[header + 10] = static_cast<std::uint8_t>(checksum >> 8);
    frame[header + 11] = static_cast<std::uint8_t>(checksum);
  } else {
    Put(frame, 0x86DD, 2);
    Put(frame, 0x60000000, 4);
    Put(frame, payload.size() + (flow.later_fragment ? 8 : 0), 2);
    Put(frame, flow.later_fragment ? kFragmentHeader : flow.protocol, 1);
    Put(frame, 64, 1);
    Put(frame, flow.source.value, 16);
    Put(frame, flow.destination.value, 16);
    if (flow.later_fragment) {
      Put(frame, flow.protocol, 1);
      Put(frame, 0, 1);
      Put(frame, kFragmentOffset << 3, 2);
      Put(frame, 1, 4);
    }
  }
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

}  // namespace march::prove
