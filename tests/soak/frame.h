// Packets of the model as frames, each with a number in its payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tests/connections/flow_model.h"

namespace march::soak {

using Mac = std::array<std::uint8_t, 6>;

// Ethernet, IPv6, TCP, the number and what comes behind it.
inline constexpr std::size_t kMaxFrame = 14 + 40 + 20 + 8 + 63;

struct Frame {
  std::array<std::uint8_t, kMaxFrame> bytes{};
  std::size_t size = 0;

  std::span<const std::uint8_t> span() const { return {bytes.data(), size}; }
};

// With lengths and checksums as they should be. Of `packet`, protocol 1 is ICMPv6 for IPv6.
Frame MakeFrame(const tests::ModelPacket& packet, std::uint64_t number, const Mac& from,
                const Mac& to);

// The number in a frame that MakeFrame has made; none in others.
std::optional<std::uint64_t> NumberIn(std::span<const std::uint8_t> frame);

// Whether a frame arrived as it was sent, but for what a router changes.
bool IsForwarded(std::span<const std::uint8_t> sent, std::span<const std::uint8_t> arrived);

}  // namespace march::soak
