#include "bench/stateful/cost/cost_kind.h"

#include <algorithm>
#include <string>

namespace march::bench {
namespace {

Asked AskNothing(const CostSetup&) {
  return {"", std::string(kNoConnections)};
}

Asked AskConnections(const CostSetup& setup) {
  return {"", "connections: { established: " + std::to_string(RoomFor(setup)) + " }\n"};
}

}  // namespace

std::uint64_t RoomFor(const CostSetup& setup) {
  // What marchd has room for without being told, or twice what is needed.
  return std::max<std::uint64_t>(1 << 18, 2 * setup.flows);
}

const std::vector<CostKind>& CostKinds() {
  static const std::vector<Task> all = {Task::kConnections, Task::kFlood};
  static const std::vector<CostKind> kinds = {
      {kFloor, "control: reads all headers as the generated program does and decides nothing", all,
       nullptr, "fastpath/bpf/floor.bpf.c"},
      {kStateless, "the generated program; the configuration asks for nothing beside verdicts", all,
       AskNothing},
      {"memory",
       "control: the floor and the memory that keeping connections takes, touched at random: a "
       "line "
       "of 64 bytes to find a connection by, and a record of 128 that counts",
       {Task::kConnections},
       nullptr,
       "stateful/bpf/memory.bpf.c"},
      {"connections", "the stateless program, but connections are kept", all, AskConnections},
  };
  return kinds;
}

}  // namespace march::bench
