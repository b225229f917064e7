// march-bench-stateful: what connections, limits and block lists cost a packet, and what they cost
// the programs that do the same, all in one run. See docs/performance-stateful.md.
#include <iostream>

#include "bench/common/machine.h"
#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/stateful/cost/cost.h"
#include "bench/stateful/cost/cost_kind.h"
#include "bench/stateful/live/live.h"
#include "bench/stateful/live/live_subject.h"
#include "bench/stateful/options.h"
#include "bench/stateful/traffic.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr int kResultsFormatVersion = 1;

template <class Kind>
json Described(const std::vector<Kind>& kinds) {
  json described = json::object();
  for (const Kind& kind : kinds) described[std::string(kind.name)] = {{"what", kind.description}};
  return described;
}

json Controls() {
  json controls = json::array();
  for (const CostKind& kind : CostKinds()) {
    if (kind.ask == nullptr) controls.push_back(kind.name);
  }
  return controls;
}

int Run(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const Workspace workspace;
  Results results(kResultsFormatVersion, options.preset,
                  {"programs", "program_cost", "live_frames"}, argc, argv);
  results.Set("traffic", Described(TrafficKinds()));
  results.Set("cost_subjects", Described(CostKinds()));
  results.Set("controls", Controls());
  results.Set("live_subjects", Described(LiveKinds()));
  std::cout << "machine: " << DescribeMachine().dump() << std::endl;
  if (options.without_network) {
    MeasureCost(options, results);
  } else {
    results.NotMeasured("everything", "without a network", "--no-cost");
  }
  if (options.live) {
    MeasureLive(options, workspace, results);
  } else {
    results.NotMeasured("everything", "live frames", "--no-live");
  }
  if (!options.json_path.empty()) results.Write(options.json_path);
  return 0;
}

}  // namespace
}  // namespace march::bench

int main(int argc, char** argv) {
  return march::bench::Run(argc, argv);
}
