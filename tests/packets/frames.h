// Frames of every shape, well-formed and not, each with what must become of it. The same list goes
// through the native reader and through the kernel.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace march::tests {

struct FrameCase {
  std::string name;
  std::vector<std::uint8_t> frame;
  std::string decider;  // a mapping of kPacketPolicy, "default", or the name of a fixed slot
  bool passes = false;
};

// The policy the frames meet. Clients are 10.1.0.0/16 and 2001:db8:1::/48, servers 10.2.0.0/16 and
// 2001:db8:2::/48.
extern const char* const kPacketPolicy;

std::vector<FrameCase> FrameCases();

}  // namespace march::tests
