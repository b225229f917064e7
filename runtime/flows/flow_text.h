// Flows in words: what the control API, the log and events call things.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bundle/abi/flow.h"
#include "runtime/flows/flow_table.h"

namespace march::flows {

enum class State {
  kNew,          // the opener has not gone on after an answer, or there was no room to move it
  kEstablished,  // it has
  kClosing,      // TCP: one side has ended its direction
  kClosed,       // TCP: both have, or one has reset it; only remembered
  kCut,          // by an operator: no packet of it passes
};
State StateOf(const march_flow& record);
std::string_view NameOf(State state);
std::optional<State> ReadState(std::string_view name);
inline constexpr std::string_view kStateNames = "new, established, closing, closed, cut";

// "timeout", "finished", "reset", "cut", "forbidden"
std::string_view NameOf(Ending ending);

// "tcp", "udp", "sctp", "icmp", "icmpv6", or its number.
std::string ProtocolName(std::uint8_t protocol);
std::optional<std::uint8_t> ReadProtocol(std::string_view text);

// An address of a flow: IPv4 in the low 32 bits of `lo`, `hi` zero.
std::string AddressText(std::uint64_t family, std::uint64_t hi, std::uint64_t lo);

}  // namespace march::flows
