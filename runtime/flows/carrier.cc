#include "runtime/flows/carrier.h"

#include <atomic>

namespace march::flows {

Carried CarryFlows(const FlowTable& from, FlowTable& to, Tick now) {
  Carried carried;
  const march_native_flows table = to.native();
  from.Walk(now, [&](const Flow& flow) {
    const std::uint32_t there = march_native_find_flow(&table, &flow.record, now);
    if (there != MARCH_NATIVE_NO_FLOW) {
      constexpr std::uint64_t kEnds = MARCH_FLOW_FINS | MARCH_FLOW_RESET | MARCH_FLOW_CUT;
      std::atomic_ref(table.flows[there].judged).fetch_or(flow.record.judged & kEnds);
      return;
    }
    const auto deadline = static_cast<Tick>(MARCH_FLOW_DEADLINE(flow.word));
    const bool has_place =
        march_native_insert_flow(&table, &flow.record, deadline, now) != MARCH_NATIVE_NO_FLOW;
    (has_place ? carried.flows : carried.lost) += 1;
  });
  return carried;
}

}  // namespace march::flows
