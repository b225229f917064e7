#include "bench/stateful/gateway_program.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>

#include "bench/common/bpf_object.h"
#include "bench/common/fail.h"
#include "bench/stateful/policy.h"
#include "bundle/abi/verdict.h"
#include "runtime/block/table.h"
#include "runtime/bpf/interfaces.h"
#include "runtime/bpf/routing.h"
#include "runtime/daemon/config.h"

namespace march::bench {
namespace {

constexpr const char* kBuckets = "march_flow_buckets";

template <class T>
T MustBe(Outcome<T> outcome) {
  if (!outcome.ok()) FailWith(outcome.diagnostics());
  return std::move(outcome).value();
}

std::string RuntimeOf(const Asked& asked) {
  std::string interfaces = "none";
  for (const std::string& interface : asked.fast) interfaces += ", " + interface;
  std::string text = "apiVersion: march/v1\nkind: Runtime\ninterfaces: [" + interfaces +
                     "]\ntrusted_keys: [/none]\ncontrol: { socket: /none }\nstate: /none\n";
  text += "connections: { established: " + std::to_string(asked.established) +
          ", new: " + std::to_string(asked.fresh) + " }\n";
  text += "events: { drops: " + std::to_string(asked.drops) +
          ", allows: " + std::to_string(asked.allows) + " }\n";
  text += "reject: { per_second: 0 }\n";
  const std::string screens = asked.screens ? "true" : "false";
  text += "abuse: { land: " + screens + ", tcp_flags: " + screens + ", martians: " + screens +
          ", spoofed: " + screens + ", block_list: " + std::to_string(asked.blocks) + " }\n";
  text += std::string("forward: ") + (asked.fast.empty() ? "kernel" : "fast") + "\n";
  return text;
}

march_config ConfigOf(const Asked& asked) {
  const Source source("runtime.yaml", RuntimeOf(asked));
  return MustBe(daemon::ParseConfig(source)).gateway;
}

bpf::Program Load(const Policy& policy, const bpf::StateMaps& state) {
  march_config config = state.config();
  config.flows.generation = 1;
  const std::vector<bpf::StateMap> maps = state.maps();
  return MustBe(bpf::LoadProgram({policy.object, policy.tables, policy.slots, config, maps}));
}

void FillBlockList(const bpf::StateMaps& state, const std::vector<std::string>& list) {
  std::vector<block::Prefix> prefixes;
  prefixes.reserve(list.size());
  for (const std::string& text : list) prefixes.push_back(MustBe(block::ParsePrefix(text)));
  auto table = MustBe(block::LiveTable::Open(
      state.Find("march_block_filter"), state.Find("march_blocks"), state.config().abuse.blocks));
  table.Publish(prefixes);
}

std::uint64_t BytesOf(int map) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(map));
  for (std::string word; info >> word;) {
    std::uint64_t size = 0;
    if (word == "memlock:" && info >> size) return size;
  }
  return 0;
}

}  // namespace

GatewayProgram::GatewayProgram(std::uint32_t mappings, const Asked& asked)
    : fast_(asked.fast),
      state_(MustBe(bpf::StateMaps::Open("", ConfigOf(asked)))),
      program_(Load(MakePolicy({mappings, asked.attributes}), state_)) {
  if (asked.blocks != 0) FillBlockList(state_, asked.block_list);
}

void GatewayProgram::LearnInterfaces(const Namespace& place) const {
  const int map = state_.Find("march_interfaces");
  if (map < 0) return;
  std::vector<bpf::Guarded> guarded;
  guarded.reserve(fast_.size());
  for (const std::string& name : fast_) guarded.push_back({name, true});
  const Namespace::Inside here(place);
  std::vector<bpf::Surveyed> surveyed = bpf::SurveyInterfaces(guarded);
  const bpf::PlainRouting routing = bpf::RoutingWatch().Look({});
  // For as long as any run takes.
  const auto until = bpf::RoutingWatch::Clock::now() + std::chrono::hours(24);
  bpf::TellRouting(routing, until.time_since_epoch(), surveyed);
  MustBe(bpf::WriteInterfaces(map, surveyed));
  for (const bpf::Surveyed& interface : surveyed) {
    if (!interface.problem.empty()) FailWith("an interface is not fast: " + interface.problem);
  }
}

std::uint64_t GatewayProgram::Denied() const {
  const auto counters = MustBe(bpf::SumCounters(program_.counters.get()));
  std::uint64_t denied = 0;
  for (std::size_t slot = 0; slot < MARCH_SLOT_FIRST_MAPPING; ++slot) {
    const bool passes = slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR;
    if (!passes) denied += counters[slot].packets;
  }
  return denied;
}

std::uint64_t GatewayProgram::Statistic(march_statistic which) const {
  return MustBe(state_.ReadStatistics())[which];
}

std::uint64_t GatewayProgram::Established() const {
  const std::size_t buckets = state_.config().flows.established;
  const MappedArray memory(state_.Find(kBuckets), buckets * sizeof(march_flow_bucket));
  const auto* bucket = static_cast<const march_flow_bucket*>(memory.data());
  std::uint64_t ready = 0;
  for (const auto* end = bucket + buckets; bucket != end; ++bucket) {
    ready += static_cast<std::uint64_t>(
        std::count_if(std::begin(bucket->words), std::end(bucket->words),
                      [](std::uint64_t word) { return (word & MARCH_FLOW_READY) != 0; }));
  }
  return ready;
}

void GatewayProgram::ForgetConnections() {
  const march_flow_config& flows = state_.config().flows;
  const std::size_t bytes =
      (std::size_t{flows.established} + flows.fresh) * sizeof(march_flow_bucket);
  const MappedArray memory(state_.Find(kBuckets), bytes);
  std::memset(memory.data(), 0, bytes);
}

GatewayProgram::Size GatewayProgram::size() const {
  bpf_prog_info info{};
  std::uint32_t info_size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd(), &info, &info_size) != 0) Fail("ask about the program");
  Size size = {info.xlated_prog_len / std::uint32_t{sizeof(bpf_insn)}, info.jited_prog_len, 0};
  for (const bpf::StateMap& map : state_.maps()) size.state_bytes += BytesOf(map.fd);
  return size;
}

}  // namespace march::bench
