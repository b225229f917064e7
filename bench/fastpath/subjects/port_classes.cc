#include "bench/fastpath/subjects/port_classes.h"

#include "bench/common/bpf_object.h"
#include "bench/fastpath/bpf/lpm_maps.h"
#include "compiler/space/protocol.h"

namespace march::bench {
namespace {

std::size_t Place(std::uint8_t protocol, std::uint32_t port) {
  return (protocol == space::kUdp ? 1U << 16 : 0U) + port;
}

}  // namespace

PortClasses::PortClasses(const std::vector<tests::PlainRule>& rules) : table_(BENCH_PORTS) {
  std::vector<bool> begins(BENCH_PORTS + 1, false);
  begins[Place(space::kUdp, 0)] = true;
  for (const auto& rule : rules) {
    begins[Place(rule.protocol, rule.first_port)] = true;
    begins[Place(rule.protocol, rule.last_port + 1U)] = true;
  }
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (i > 0 && begins[i]) ++number;
    table_[i] = number;
  }
  count_ = number + 1;
}

std::uint32_t PortClasses::Of(std::uint8_t protocol, std::uint16_t port) const {
  return table_[Place(protocol, port)];
}

void FillPorts(int map, const PortClasses& classes) {
  std::vector<std::uint32_t> places(classes.table().size());
  for (std::uint32_t i = 0; i < places.size(); ++i) places[i] = i;
  UpdateMap(map, places.data(), 4, classes.table().data(), 4, places.size());
}

}  // namespace march::bench
