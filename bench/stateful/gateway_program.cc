#include "bench/stateful/gateway_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "bench/common/bpf_object.h"
#include "bench/common/fail.h"
#include "bench/stateful/policy.h"
#include "bundle/abi/verdict.h"
#include "runtime/daemon/config.h"

namespace march::bench {
namespace {

constexpr const char* kBuckets = "march_flow_buckets";

// The least that a configuration needs; nothing of it is used.
constexpr const char* kRuntime =
    "apiVersion: march/v1\nkind: Runtime\ninterfaces: [none]\ntrusted_keys: [/none]\n"
    "control: { socket: /none }\nstate: /none\n";

march_config ConfigOf(const Asked& asked) {
  const Source source("runtime.yaml", kRuntime + asked.configuration);
  const auto config = daemon::ParseConfig(source);
  if (!config) FailWith(config.diagnostics());
  return config->gateway;
}

bpf::StateMaps OpenState(const Asked& asked) {
  auto state = bpf::StateMaps::Open("", ConfigOf(asked));
  if (!state.ok()) FailWith(state.diagnostics());
  return std::move(state).value();
}

bpf::Program Load(const Policy& policy, const bpf::StateMaps& state) {
  march_config config = state.config();
  config.flows.generation = 1;
  const std::vector<bpf::StateMap> maps = state.maps();
  auto program = bpf::LoadProgram({policy.object, policy.tables, policy.slots, config, maps});
  if (!program.ok()) FailWith(program.diagnostics());
  return std::move(program).value();
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
    : state_(OpenState(asked)), program_(Load(MakePolicy({mappings, asked.attributes}), state_)) {}

std::uint64_t GatewayProgram::Denied() const {
  const auto counters = bpf::SumCounters(program_.counters.get());
  if (!counters) FailWith(counters.diagnostics());
  std::uint64_t denied = 0;
  for (std::size_t slot = 0; slot < MARCH_SLOT_FIRST_MAPPING; ++slot) {
    const bool passes = slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR;
    if (!passes) denied += (*counters)[slot].packets;
  }
  return denied;
}

std::uint64_t GatewayProgram::Statistic(march_statistic which) const {
  const int map = state_.Find("march_statistics");
  if (map < 0) return 0;
  std::vector<std::uint64_t> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const auto key = static_cast<std::uint32_t>(which);
  if (bpf_map_lookup_elem(map, &key, values.data()) != 0) Fail("read the statistics");
  std::uint64_t sum = 0;
  for (const std::uint64_t value : values) sum += value;
  return sum;
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
  for (const bpf::StateMap& map : state_.maps()) size.map_bytes += BytesOf(map.fd);
  return size;
}

}  // namespace march::bench
