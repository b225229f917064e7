#include "bench/common/frame.h"

namespace march::bench {
namespace {

constexpr unsigned kFrameBytes = BENCH_L4_IN_IPV6 + BENCH_L4_BYTES;

}  // namespace

void PutNumber(void* at, space::Uint128 value, unsigned size) {
  auto* bytes = static_cast<std::uint8_t*>(at);
  for (unsigned i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  }
}

std::vector<std::uint8_t> FrameOf(space::Family family, unsigned l4_bytes) {
  const bool v4 = family == space::Family::kV4;
  const unsigned header = v4 ? 20 : 40;
  std::vector<std::uint8_t> frame(BENCH_IP + header + l4_bytes, 0);
  std::uint8_t* ip = frame.data() + BENCH_IP;
  PutNumber(frame.data() + 12, v4 ? 0x0800 : 0x86DD, 2);
  if (v4) {
    ip[0] = 0x45;
    PutNumber(ip + 2, header + l4_bytes, 2);
    ip[8] = 64;
  } else {
    ip[0] = 0x60;
    PutNumber(ip + 4, l4_bytes, 2);
    ip[7] = 64;
  }
  ip[header + 12] = 0x50;
  return frame;
}

std::vector<std::uint8_t> FrameOfOneSize(space::Family family) {
  const unsigned l4 = family == space::Family::kV4 ? BENCH_L4_IN_IPV4 : BENCH_L4_IN_IPV6;
  return FrameOf(family, kFrameBytes - l4);
}

}  // namespace march::bench
