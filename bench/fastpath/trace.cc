#include "bench/fastpath/trace.h"

#include <bpf/bpf.h>

#include <bit>
#include <cstring>

#include "bench/common/fail.h"
#include "bench/common/frame.h"

namespace march::bench {
namespace {

template <class Wire>
std::string WireOf(const std::vector<tests::Packet>& trace, std::size_t count) {
  std::string bytes(count * sizeof(Wire), '\0');
  for (std::size_t i = 0; i < count; ++i) {
    const tests::Packet& packet = trace[i % trace.size()];
    Wire wire{};
    PutNumber(&wire.source, packet.source, sizeof(wire.source));
    PutNumber(&wire.destination, packet.destination, sizeof(wire.destination));
    PutNumber(&wire.ports, std::uint32_t{packet.source_port} << 16 | packet.destination_port, 4);
    wire.protocol = packet.protocol;
    std::memcpy(bytes.data() + i * sizeof(Wire), &wire, sizeof(Wire));
  }
  return bytes;
}

}  // namespace

std::string WireTrace(space::Family family, const std::vector<tests::Packet>& trace,
                      std::size_t count) {
  return family == space::Family::kV4 ? WireOf<bench_packet4>(trace, count)
                                      : WireOf<bench_packet6>(trace, count);
}

TraceMaps::TraceMaps(BpfObject& object, space::Family family,
                     const std::vector<tests::Packet>& trace)
    : family_(family) {
  const std::size_t count = std::bit_ceil(trace.size());
  mask_ = static_cast<std::uint32_t>(count - 1);
  const char* map = family == space::Family::kV4 ? "bench_trace4" : "bench_trace6";
  object.Resize(map, count);
  object.Load();
  const std::string wire = WireTrace(family, trace, count);
  const MappedArray memory(object.Map(map), wire.size());
  std::memcpy(memory.data(), wire.data(), wire.size());
  state_map_ = object.Map("bench_state");
}

bench_state TraceMaps::StateAt(std::uint64_t first) const {
  bench_state state{};
  state.next = first;
  state.mask = mask_;
  state.family = static_cast<std::uint32_t>(family_);
  return state;
}

void TraceMaps::Write(const bench_state& state) const {
  const std::uint32_t zero = 0;
  if (bpf_map_update_elem(state_map_, &zero, &state, BPF_ANY) != 0) Fail("reset the trace");
}

bench_state TraceMaps::Read() const {
  const std::uint32_t zero = 0;
  bench_state state{};
  if (bpf_map_lookup_elem(state_map_, &zero, &state) != 0) Fail("read the trace's state");
  return state;
}

}  // namespace march::bench
