#include "compiler/prove/witness.h"

#include <bit>
#include <cstring>

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "compiler/space/protocol.h"

namespace march::prove {
namespace {

using space::Uint128;

static_assert(std::endian::native == std::endian::little, "witnesses are in the wire's order");

void PutAddress(const space::Address& address, std::uint64_t (&words)[2]) {
  if (address.family == space::Family::kV4) {
    words[0] = __builtin_bswap32(static_cast<std::uint32_t>(address.value));
    return;
  }
  words[0] = __builtin_bswap64(static_cast<std::uint64_t>(address.value >> 64));
  words[1] = __builtin_bswap64(static_cast<std::uint64_t>(address.value));
}

space::Address TakeAddress(space::Family family, const std::uint64_t (&words)[2]) {
  if (family == space::Family::kV4) {
    return {family, __builtin_bswap32(static_cast<std::uint32_t>(words[0]))};
  }
  return {family, Uint128{__builtin_bswap64(words[0])} << 64 | __builtin_bswap64(words[1])};
}

}  // namespace

space::Flow FlowOf(const space::Address& source, const space::Address& destination,
                   std::uint32_t key, std::uint32_t source_port) {
  space::Flow flow;
  flow.protocol = static_cast<std::uint8_t>(key >> 16);
  flow.source = source;
  flow.destination = destination;
  flow.later_fragment = (key & MARCH_L4_FRAGMENT) != 0;
  if (flow.later_fragment) return flow;
  if (space::HasPorts(flow.protocol)) flow.source_port = static_cast<std::uint16_t>(source_port);
  flow.SetDetail(static_cast<std::uint16_t>(key));
  return flow;
}

march_witness WitnessOf(const space::Flow& flow, const Fate& expected) {
  march_witness witness{};
  PutAddress(flow.source, witness.source);
  PutAddress(flow.destination, witness.destination);
  std::uint8_t ports[4] = {};
  if (space::IsIcmp(flow.protocol)) {
    ports[0] = flow.icmp_type;
    ports[1] = flow.icmp_code;
  } else {
    ports[0] = static_cast<std::uint8_t>(flow.source_port >> 8);
    ports[1] = static_cast<std::uint8_t>(flow.source_port);
    ports[2] = static_cast<std::uint8_t>(flow.destination_port >> 8);
    ports[3] = static_cast<std::uint8_t>(flow.destination_port);
  }
  std::memcpy(&witness.ports, ports, sizeof(ports));
  witness.family = static_cast<std::uint8_t>(flow.source.family);
  witness.protocol = flow.protocol;
  witness.later_fragment = flow.later_fragment ? 1 : 0;
  witness.action = expected.allow ? MARCH_ACTION_ALLOW : MARCH_ACTION_DENY;
  witness.slot = expected.slot;
  witness.audit = expected.audit;
  return witness;
}

space::Flow FlowOf(const march_witness& witness) {
  const auto family = static_cast<space::Family>(witness.family);
  space::Flow flow;
  flow.protocol = witness.protocol;
  flow.source = TakeAddress(family, witness.source);
  flow.destination = TakeAddress(family, witness.destination);
  flow.later_fragment = witness.later_fragment != 0;
  std::uint8_t ports[4];
  std::memcpy(ports, &witness.ports, sizeof(ports));
  if (space::IsIcmp(flow.protocol)) {
    flow.icmp_type = ports[0];
    flow.icmp_code = ports[1];
  } else {
    flow.source_port = static_cast<std::uint16_t>(ports[0] << 8 | ports[1]);
    flow.destination_port = static_cast<std::uint16_t>(ports[2] << 8 | ports[3]);
  }
  return flow;
}

Fate FateOf(const march_witness& witness) {
  return {witness.slot, witness.action == MARCH_ACTION_ALLOW, witness.audit};
}

}  // namespace march::prove
