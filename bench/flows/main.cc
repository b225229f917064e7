// How long marchd looks at its connections: sweeping, counting, listing and cutting, in tables of
// the kernel's that hold a million. No packets come meanwhile.
//
//   march-bench-flows [CONNECTIONS]
//
// Prints one line for each, in milliseconds: the best and the median of nine runs.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "base/print.h"
#include "runtime/bpf/state_maps.h"
#include "runtime/flows/counts.h"
#include "runtime/flows/filter.h"
#include "runtime/flows/flow_table.h"

namespace {

using march::flows::Flow;
using march::flows::FlowRecord;
using march::flows::FlowTable;
using march::flows::Tick;

constexpr int kRuns = 9;
constexpr Tick kTimeout = 100'000;

march_flow FlowOf(std::uint32_t number) {
  march_flow flow{};
  flow.src_lo = 0x0A000000U + number / 60'000;
  flow.dst_lo = 0x0A800000U + number % 7;
  flow.l4 = MARCH_FLOW_L4(1024 + number % 60'000, 443, 6U, MARCH_KIND_PORTS, 4U);
  flow.judged = MARCH_FLOW_JUDGED(1, 40 + number % 50,
                                  MARCH_FLOW_SYN | MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED);
  march::flows::SetCounts(flow, MARCH_FLOW_FORWARD, {1, number});
  return flow;
}

// What `prepare` does is not measured.
void Measure(const std::string& what, const std::function<void()>& prepare,
             const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    prepare();
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    times.push_back(took.count());
  }
  std::sort(times.begin(), times.end());
  std::cout << std::left << std::setw(44) << what << std::right << std::fixed
            << std::setprecision(2) << std::setw(9) << times.front() << std::setw(9)
            << times[kRuns / 2] << "\n";
}

int Run(std::uint32_t connections) {
  march_config config{};
  // Three quarters full, as a table should be at most.
  config.flows.established = connections / 6;
  config.flows.fresh = connections / 24;
  for (std::uint32_t& timeout : config.flows.timeouts) timeout = kTimeout;
  const auto maps = march::bpf::StateMaps::Open("", config);
  if (!maps.ok()) {
    std::cerr << march::TextOf(maps.diagnostics());
    return 1;
  }
  auto mapped =
      FlowTable::Map(maps->Find("march_flow_buckets"), maps->Find("march_flows"), maps->config());
  if (!mapped.ok()) {
    std::cerr << march::TextOf(mapped.diagnostics());
    return 1;
  }
  FlowTable& table = *mapped;
  const Tick now = march::flows::CurrentTick();
  const march_native_flows native = table.native();
  const auto insert = [&](std::uint32_t first, std::uint32_t count, Tick deadline) {
    for (std::uint32_t i = first; i < first + count; ++i) {
      const march_flow flow = FlowOf(i);
      march_native_insert_flow(&native, &flow, deadline, now);
    }
  };
  const auto nothing = [] {};
  const auto ignore = [](const FlowRecord&) {};
  insert(0, connections, now + kTimeout);
  std::cout << table.Count(now).established << " established, " << table.Count(now).fresh
            << " new, room for " << table.established_capacity() << " and "
            << table.fresh_capacity() << "\n"
            << std::left << std::setw(44) << "milliseconds" << std::right << std::setw(9) << "best"
            << std::setw(9) << "median" << "\n";
  Measure("sweep, none has ended", nothing, [&] { table.Sweep(now, 1'000'000, ignore); });
  Measure(
      "sweep, 20,000 have ended", [&] { insert(connections, 20'000, now); },
      [&] { table.Sweep(now + FlowTable::kGrace + 1, 1'000'000, ignore); });
  Measure("count", nothing, [&] { static_cast<void>(table.Count(now)); });
  std::uint64_t bytes = 0;
  Measure("walk over all", nothing, [&] {
    table.Walk(now, [&](const Flow& flow) { bytes += march::flows::CountsOf(flow.record).bytes; });
  });
  march::flows::MappingNames names([](std::uint64_t) { return nullptr; });
  march::flows::Filter filter;
  filter.source = march::flows::Prefix::Parse("10.0.0.3");
  std::uint64_t matched = 0;
  Measure("walk with a filter", nothing, [&] {
    table.Walk(now,
               [&](const Flow& flow) { matched += filter.Matches(flow.record, names) ? 1U : 0U; });
  });
  std::uint64_t cut = 0;
  Measure("cut by a filter", nothing, [&] {
    cut += table.CutAll(now, [&](const march_flow& flow) { return filter.Matches(flow, names); });
  });
  std::cout << "(" << bytes / kRuns << " bytes, " << matched / kRuns << " matched, " << cut
            << " cut)\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (geteuid() != 0) {
    std::cerr << "SKIPPED: maps of the kernel need root\n";
    return 77;
  }
  const long connections = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1'000'000;
  if (connections < 1'000 || connections > 20'000'000) {
    std::cerr << "usage: march-bench-flows [CONNECTIONS], 1000 to 20000000\n";
    return 64;
  }
  return Run(static_cast<std::uint32_t>(connections));
}
