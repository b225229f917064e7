#include "tests/connections/gateway.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <utility>

#include "base/print.h"
#include "bundle/mappings.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/prove/frame.h"
#include "compiler/space/flow.h"
#include "runtime/bpf/event_ring.h"

namespace march::tests {
namespace {

constexpr std::uint32_t kXdpPass = 2;
constexpr std::size_t kEthernet = 14;

void Put16(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

void Put32(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value) {
  Put16(bytes, at, value >> 16);
  Put16(bytes, at + 2, value & 0xFFFF);
}

std::vector<std::uint8_t> FrameOf(const std::string& text) {
  const Source source("flow", text);
  auto flow = space::ParseFlow(source);
  INFO(text);
  REQUIRE(flow.ok());
  return prove::BuildFrame(*flow);
}

std::uint32_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto nanoseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                           static_cast<std::uint64_t>(now.tv_nsec);
  return static_cast<std::uint32_t>(nanoseconds >> MARCH_TICK_SHIFT);
}

// Each policy once: many gateways enforce the same.
const pipeline::Compilation& Compiled(const std::string& policy) {
  static std::map<std::string, pipeline::Compilation> known;
  const auto found = known.find(policy);
  if (found != known.end()) return found->second;
  MemoryFileSystem files;
  REQUIRE(files.WriteAtomically("p.yaml", policy, 0600).ok());
  auto compiled = pipeline::Compile(files, "p.yaml", pipeline::Stage::kObject);
  INFO(TextOf(compiled.diagnostics));
  REQUIRE(compiled.ok());
  return known.emplace(policy, std::move(compiled)).first->second;
}

}  // namespace

Packet::Packet(const std::string& flow) : bytes_(FrameOf(flow)) {}

bool Packet::IsV6() const {
  return bytes_.at(12) == 0x86;
}

std::size_t Packet::L4() const {
  return kEthernet + (IsV6() ? 40 : 20);
}

Packet& Packet::Flags(const std::string& letters) {
  const std::string order = "FSRPA";
  std::uint8_t flags = 0;
  for (const char letter : letters) {
    flags = static_cast<std::uint8_t>(flags | 1U << order.find(letter));
  }
  bytes_.at(L4() + 13) = flags;
  return *this;
}

Packet& Packet::Sequence(std::uint32_t number) {
  Put32(bytes_, L4() + 4, number);
  return *this;
}

Packet& Packet::Acknowledge(std::uint32_t number) {
  Put32(bytes_, L4() + 8, number);
  return *this;
}

Packet& Packet::Identifier(std::uint16_t id) {
  Put16(bytes_, L4() + 4, id);
  return *this;
}

Packet& Packet::Fragment(std::uint32_t id, unsigned offset, bool more) {
  if (!IsV6()) {
    Put16(bytes_, kEthernet + 4, id);
    Put16(bytes_, kEthernet + 6, (more ? 0x2000U : 0U) | offset);
    return *this;
  }
  std::vector<std::uint8_t> header(8);
  header.at(0) = bytes_.at(kEthernet + 6);
  Put16(header, 2, offset << 3 | (more ? 1U : 0U));
  Put32(header, 4, id);
  bytes_.at(kEthernet + 6) = 44;
  bytes_.insert(bytes_.begin() + static_cast<std::ptrdiff_t>(L4()), header.begin(), header.end());
  Put16(bytes_, kEthernet + 4, static_cast<std::uint32_t>(bytes_.size() - kEthernet - 40));
  return *this;
}

Packet& Packet::Quote(const Packet& original, std::size_t bytes) {
  bytes_.resize(L4() + 8);
  const std::size_t end = std::min(original.bytes_.size(), kEthernet + bytes);
  bytes_.insert(bytes_.end(), original.bytes_.begin() + kEthernet,
                original.bytes_.begin() + static_cast<std::ptrdiff_t>(end));
  const auto size = static_cast<std::uint32_t>(bytes_.size() - kEthernet);
  Put16(bytes_, kEthernet + (IsV6() ? 4 : 2), IsV6() ? size - 40 : size);
  return *this;
}

struct Gateway::State {
  bpf::StateMaps maps;
  std::uint32_t generation = 0;
  std::unique_ptr<bpf::TestRun> program;
  std::unique_ptr<bpf::EventRing> events;
  bundle::MappingTable names;
  march_config config{};

  std::uint64_t Living(std::uint32_t first, std::uint32_t count) const {
    std::uint64_t living = 0;
    const std::uint32_t now = Now();
    const int map = maps.Find("march_flow_buckets");
    for (std::uint32_t bucket = first; bucket < first + count; ++bucket) {
      march_flow_bucket words{};
      REQUIRE(bpf_map_lookup_elem(map, &bucket, &words) == 0);
      for (const std::uint64_t word : words.words) {
        living += static_cast<std::uint64_t>((word & MARCH_FLOW_READY) != 0 &&
                                             MARCH_FLOW_DEADLINE(word) >= now);
      }
    }
    return living;
  }
};

Gateway::Gateway() : Gateway(Sizes{}) {}

Gateway::Gateway(const Sizes& sizes, march_config config) : state_(std::make_unique<State>()) {
  if (geteuid() != 0) {
    std::cerr << "SKIPPED: running programs in the kernel needs root\n";
    std::exit(77);
  }
  config.flows.established = sizes.established / MARCH_FLOW_LANES;
  config.flows.fresh = sizes.fresh / MARCH_FLOW_LANES;
  if (sizes.limit_lines != 0) config.limits.lines = sizes.limit_lines;
  for (std::uint32_t& timeout : config.flows.timeouts)
    timeout = static_cast<std::uint32_t>(MARCH_TICKS(30));
  auto maps = bpf::StateMaps::Open("", config);
  INFO((maps.ok() ? "" : TextOf(maps.diagnostics())));
  REQUIRE(maps.ok());
  state_->maps = std::move(maps).value();
  state_->config = state_->maps.config();
  const int ring = state_->maps.Find("march_events");
  if (ring < 0) return;
  auto opened = bpf::EventRing::Open(ring);
  REQUIRE(opened.ok());
  state_->events = std::make_unique<bpf::EventRing>(*std::move(opened));
}

Gateway::Gateway(const Sizes& sizes, const march_event_config& events)
    : Gateway(sizes, [&] {
        march_config config{};
        config.events = events;
        return config;
      }()) {}

Gateway::~Gateway() = default;

void Gateway::SetTimeout(march_timeout which, std::uint32_t ticks) {
  state_->config.flows.timeouts[which] = ticks;
}

void Gateway::Enforce(const std::string& policy) {
  const pipeline::Compilation& compiled = Compiled(policy);
  const std::string tables = compiled.tables->Bytes();
  const std::vector<bpf::StateMap> maps = state_->maps.maps();
  state_->config.flows.generation = ++state_->generation;
  state_->names = {};
  for (const std::uint32_t mapping : compiled.tables->mappings) {
    auto& entry = state_->names.mappings.emplace_back();
    entry.name = compiled.policy->mappings.at(mapping).name;
    entry.limited = compiled.policy->mappings.at(mapping).limit.has_value();
  }
  const std::uint32_t slots = bundle::SlotsOf(state_->names);
  auto program = bpf::TestRun::Load({compiled.object->bytes, tables, slots, state_->config, maps});
  INFO((program.ok() ? "" : TextOf(program.diagnostics())));
  REQUIRE(program.ok());
  state_->program = std::make_unique<bpf::TestRun>(std::move(program).value());
}

bool Gateway::Passes(const Packet& packet) {
  return Passes(packet.bytes());
}

bool Gateway::Passes(const std::vector<std::uint8_t>& frame, int times) {
  const std::string bytes(frame.begin(), frame.end());
  bool passes = false;
  for (int i = 0; i < times; ++i) {
    const auto result = state_->program->Run(bytes);
    INFO((result.ok() ? "" : TextOf(result.diagnostics())));
    REQUIRE(result.ok());
    passes = result->xdp_action == kXdpPass;
  }
  return passes;
}

bpf::FrameResult Gateway::Run(const std::vector<std::uint8_t>& frame) {
  auto result = state_->program->RunForFrame(std::string(frame.begin(), frame.end()));
  INFO((result.ok() ? "" : TextOf(result.diagnostics())));
  REQUIRE(result.ok());
  return std::move(result).value();
}

std::vector<std::uint8_t> Gateway::Sent(const Packet& packet) {
  const bpf::FrameResult result = Run(packet.bytes());
  if (result.xdp_action != kXdpPass) return {};
  return {result.frame.begin(), result.frame.end()};
}

std::uint64_t Gateway::AboveLimit(const std::string& name) {
  const auto counters = state_->program->ReadAll();
  REQUIRE(counters.ok());
  std::size_t slot = MARCH_SLOT_FIRST_MAPPING + state_->names.mappings.size();
  for (const auto& mapping : state_->names.mappings) {
    if (mapping.name == name) return counters->at(slot).packets;
    if (mapping.limited) ++slot;
  }
  return 0;
}

std::uint64_t Gateway::Counted(const std::string& name) {
  const auto counters = state_->program->ReadAll();
  REQUIRE(counters.ok());
  std::uint64_t packets = 0;
  for (std::uint32_t slot = 0; slot < counters->size(); ++slot) {
    const auto mapping = slot - MARCH_SLOT_FIRST_MAPPING;
    const bool is_mapping =
        slot >= MARCH_SLOT_FIRST_MAPPING && mapping < state_->names.mappings.size();
    const std::string_view slot_name =
        is_mapping ? std::string_view(state_->names.mappings.at(mapping).name)
                   : bundle::SlotName(slot);
    if (slot_name == name) packets += counters->at(slot).packets;
  }
  return packets;
}

std::uint64_t Gateway::Statistic(march_statistic which) {
  const auto statistics = state_->maps.ReadStatistics();
  REQUIRE(statistics.ok());
  return statistics->at(which);
}

bpf::LoadFigures Gateway::Figures() {
  const auto figures = state_->program->Figures();
  REQUIRE(figures.ok());
  return *figures;
}

std::uint64_t Gateway::Established() {
  return state_->Living(0, state_->config.flows.established);
}

std::uint64_t Gateway::Fresh() {
  return state_->Living(state_->config.flows.established, state_->config.flows.fresh);
}

std::vector<march_event> Gateway::Events() {
  std::vector<march_event> events;
  state_->events->Read(SIZE_MAX, [&](const march_event& event) { events.push_back(event); });
  return events;
}

bpf::StateMaps& Gateway::state() {
  return state_->maps;
}

}  // namespace march::tests
