#include "bench/stateful/cost/cost_kind.h"

#include <algorithm>
#include <string>

namespace march::bench {
namespace {

Asked AskNothing(const CostSetup&) {
  return {"", std::string(kNoConnections)};
}

// What marchd has room for without being told, or twice what is needed.
Asked AskConnections(const CostSetup& setup) {
  const std::uint64_t room = std::max<std::uint64_t>(1 << 18, 2 * setup.flows);
  return {"", "connections: { established: " + std::to_string(room) + " }\n"};
}

}  // namespace

const std::vector<CostKind>& CostKinds() {
  static const std::vector<Task> all = {Task::kConnections, Task::kFlood};
  static const std::vector<CostKind> kinds = {
      {kFloor, "control: reads all headers as the generated program does and decides nothing", all,
       nullptr},
      {kStateless, "the generated program; the configuration asks for nothing beside verdicts", all,
       AskNothing},
      {"connections", "likewise, but connections are kept", all, AskConnections},
  };
  return kinds;
}

}  // namespace march::bench
