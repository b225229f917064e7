// Who floods, and who takes frames off an interface.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/space/address.h"

namespace march::bench {

struct Attack {
  std::string interface;    // that frames leave from
  std::string other;        // by turns with this one; empty: all the time
  std::string gateway_mac;  // of the other end
  space::Address server4;
  space::Address server6;
  std::uint32_t port = 80;
  std::uint64_t rate = 0;     // frames a second; 0: as many as there can be
  std::uint32_t sources = 0;  // of either family; 0: as many as there are
  unsigned cpu = 0;
};

// From the network namespace of the calling thread, until SIGTERM or SIGINT: SYNs, IPv4 and IPv6 by
// turns. What comes back is dropped unseen. Returns how many were made.
std::uint64_t Flood(const Attack& attack);

enum class Taker { kDrop, kPass };

// All that comes in by the interface, until SIGTERM or SIGINT.
void TakeAll(const std::string& interface, Taker taker);

}  // namespace march::bench
