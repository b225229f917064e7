#include "tests/forwarding/frame.h"

#include <stdexcept>

namespace march::tests {
namespace {

constexpr std::size_t kEthernet = 14;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;

void Put16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

std::uint16_t Get16(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes.at(at) << 8 | bytes.at(at + 1));
}

Bytes Part(const Bytes& bytes, std::size_t from, std::size_t count) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

std::size_t ChecksumAt(std::uint8_t protocol) {
  if (protocol == kTcp) return 16;
  return protocol == kUdp ? 6 : 2;
}

// What the checksum of layer 4 is over.
Bytes Covered(const Bytes& ip, std::uint8_t protocol, const Bytes& layer_four) {
  if (protocol == kIcmp) return layer_four;
  const bool is_v6 = ip.at(0) >> 4 == 6;
  Bytes covered = is_v6 ? Part(ip, 8, 32) : Part(ip, 12, 8);
  covered.insert(covered.end(), {0, protocol, 0, 0});
  Put16(covered, covered.size() - 2, layer_four.size());
  return covered + layer_four;
}

bool HasChecksum(std::uint8_t protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kIcmp || protocol == kIcmpv6;
}

}  // namespace

Bytes Hex(const std::string& digits) {
  Bytes bytes;
  std::string pending;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    pending += digit;
    if (pending.size() < 2) continue;
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(pending, nullptr, 16)));
    pending.clear();
  }
  if (!pending.empty()) throw std::invalid_argument("half a byte: " + digits);
  return bytes;
}

std::string ToHex(const Bytes& bytes) {
  const std::string digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits.at(byte >> 4);
    text += digits.at(byte & 15);
  }
  return text;
}

Bytes operator+(Bytes one, const Bytes& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

std::uint16_t Checksum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i]) << 8 : bytes[i];
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

std::size_t IpAt(const Bytes& frame) {
  std::size_t at = kEthernet;
  while (Get16(frame, at - 2) == 0x8100 || Get16(frame, at - 2) == 0x88A8) at += 4;
  return at;
}

Bytes Whole(const Bytes& ethernet, const Bytes& ip, const Bytes& layer_four) {
  Bytes header = ip;
  Bytes body = layer_four;
  const bool is_v6 = ip.at(0) >> 4 == 6;
  const std::uint8_t protocol = ip.at(is_v6 ? 6 : 9);
  if (HasChecksum(protocol)) {
    Put16(body, ChecksumAt(protocol), Checksum(Covered(ip, protocol, layer_four)));
  }
  if (is_v6) {
    Put16(header, 4, body.size());
  } else {
    Put16(header, 2, header.size() + body.size());
    Put16(header, 10, Checksum(header));
  }
  return ethernet + header + body;
}

void FixHeader(Bytes& frame) {
  const std::size_t at = IpAt(frame);
  const std::size_t size = (frame.at(at) & 15U) * 4;
  Put16(frame, at + 10, 0);
  Put16(frame, at + 10, Checksum(Part(frame, at, size)));
}

std::string Faults(const Bytes& frame) {
  const std::size_t at = IpAt(frame);
  const bool is_v6 = frame.at(at) >> 4 == 6;
  const std::size_t header = is_v6 ? 40 : (frame.at(at) & 15U) * 4;
  const std::size_t total = is_v6 ? Get16(frame, at + 4) + 40U : Get16(frame, at + 2);
  if (at + total > frame.size()) return "longer than its frame";
  if (at + total < frame.size() && frame.size() > 60) return "bytes at the end";
  const Bytes ip = Part(frame, at, header);
  // Over a right checksum too, the sum is zero.
  if (!is_v6 && Checksum(ip) != 0) return "wrong checksum of IPv4";
  const std::uint8_t protocol = ip.at(is_v6 ? 6 : 9);
  const Bytes layer_four = Part(frame, at + header, total - header);
  if (HasChecksum(protocol) && Checksum(Covered(ip, protocol, layer_four)) != 0) {
    return "wrong checksum of layer 4";
  }
  return "";
}

}  // namespace march::tests
