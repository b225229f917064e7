#include "bench/stateful/cost/cost_kind.h"

#include <algorithm>

#include "bench/stateful/asked.h"
#include "bundle/abi/abuse.h"

namespace march::bench {
namespace {

Asked AskNothing(const CostSetup&) {
  return {};
}

Asked AskConnections(const CostSetup& setup) {
  Asked asked;
  asked.established = RoomFor(setup);
  return asked;
}

Asked AskLimitByMapping(const CostSetup& setup) {
  return AskMappingLimit(setup.traffic, setup.space, setup.mappings);
}

Asked AskLimitBySource(const CostSetup& setup) {
  return AskSourceLimit(setup.traffic);
}

Asked AskScreens(const CostSetup&) {
  Asked asked;
  asked.screens =
      MARCH_SCREEN_LAND | MARCH_SCREEN_FLAGS | MARCH_SCREEN_MARTIANS | MARCH_SCREEN_SPOOFED;
  return asked;
}

Asked AskEmptyBlockList(const CostSetup& setup) {
  Asked asked;
  asked.blocks = setup.blocked;
  return asked;
}

Asked AskFullBlockList(const CostSetup& setup) {
  return AskBlockList(setup.traffic, setup.space, setup.blocked);
}

Asked AskDrops(const CostSetup&) {
  Asked asked;
  asked.drops = 1000;
  return asked;
}

Asked AskAll(const CostSetup& setup) {
  Asked asked = AskFullBlockList(setup);
  asked.established = RoomFor(setup);
  asked.attributes = AskLimitBySource(setup).attributes;
  asked.screens = AskScreens(setup).screens;
  asked.drops = 1000;
  asked.allows = 1000;
  return asked;
}

const std::vector<std::string_view> kConnections = {"established-tcp", "established-udp", "new-tcp",
                                                    "new-udp", "flood-tcp"};

}  // namespace

std::uint64_t RoomFor(const CostSetup& setup) {
  // What marchd has room for without being told, or twice what is needed.
  return std::max<std::uint64_t>(1 << 18, 2 * setup.flows);
}

const std::vector<CostKind>& CostKinds() {
  static const std::vector<CostKind> kinds = {
      {kFloor,
       "control: reads all headers as the generated program does and decides nothing",
       {},
       Judge::kNone,
       nullptr,
       "fastpath/bpf/floor.bpf.c"},
      {kStateless,
       "the generated program; the configuration asks for nothing beside verdicts",
       {},
       Judge::kPolicy,
       AskNothing},
      {"memory",
       "control: the floor and the memory that keeping connections takes, touched at random: a "
       "line of 64 bytes to find a connection by, and another in which it counts",
       {"established-tcp", "established-udp"},
       Judge::kNone,
       nullptr,
       "stateful/bpf/memory.bpf.c"},
      {"connections", "the stateless program, and connections are kept", kConnections,
       Judge::kPolicy, AskConnections},
      {"limit",
       "the stateless program, and each mapping has a limit",
       {kWithinLimit, kOverLimit},
       Judge::kFeature,
       AskLimitByMapping},
      {"limit-by-source",
       "the stateless program, and each source has a limit",
       {kWithinLimit, kOverLimit},
       Judge::kFeature,
       AskLimitBySource},
      {"block-list-empty",
       "the stateless program, and a block list without entries",
       {kNotBlocked},
       Judge::kFeature,
       AskEmptyBlockList},
      {"block-list",
       "the stateless program, and a block list that is full",
       {kNotBlocked, kBlocked},
       Judge::kFeature,
       AskFullBlockList},
      {"screens",
       "the stateless program, and land, impossible TCP flags, martians and spoofed own addresses "
       "are looked for",
       {kNotBlocked},
       Judge::kFeature,
       AskScreens},
      {"events",
       "the stateless program, and 1,000 drops a second are told of",
       {"denied"},
       Judge::kPolicy,
       AskDrops},
      {"everything",
       "the stateless program, and all of these at once",
       {},
       Judge::kFeature,
       AskAll},
  };
  return kinds;
}

}  // namespace march::bench
