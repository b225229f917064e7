#include "runtime/bpf/witness_run.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "bundle/abi/verdict.h"
#include "runtime/bpf/libbpf_log.h"
#include "runtime/bpf/loader.h"

namespace march::bpf {
namespace {

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};

using Frame = std::array<std::uint8_t, MARCH_WITNESS_FRAME>;

// Of what the feeder leaves as it is.
Frame FrameFor(std::uint8_t family) {
  constexpr std::uint8_t kTcpHeaderWords = 5 << 4;
  Frame frame{};
  if (family == 4) {
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = MARCH_WITNESS_FRAME - 14;
    frame[22] = 64;
    frame[46] = kTcpHeaderWords;
  } else {
    frame[12] = 0x86;
    frame[13] = 0xDD;
    frame[14] = 0x60;
    frame[19] = MARCH_WITNESS_FRAME - 54;
    frame[21] = 64;
    frame[66] = kTcpHeaderWords;
  }
  return frame;
}

}  // namespace

struct WitnessRun::State {
  Program program;
  std::unique_ptr<bpf_object, CloseObject> feeder;
  march_witness* witnesses = nullptr;  // the map's memory
  int feed = -1;                       // owned by the object, as are the maps
  int state = -1;
  std::uint32_t room = 0;

  ~State() {
    if (witnesses != nullptr) ::munmap(witnesses, kMostAtOnce * sizeof(march_witness));
  }

  Outcome<Done> LoadFeeder(std::string_view object);
  // Sends them and fills in what the feeder says; the action of the last.
  Outcome<std::uint32_t> Feed(std::span<const march_witness> batch, march_witness_state& result);
  // Whether all counters moved as the batch expects, and as nothing else could.
  Outcome<bool> Counts(std::span<const march_witness> batch, march_witness_state& result);
  Outcome<WitnessMiss> Look(const march_witness& witness, std::size_t index);
  Outcome<std::size_t> FindOdd(std::span<const march_witness> batch);
};

Outcome<Done> WitnessRun::State::LoadFeeder(std::string_view object) {
  LibbpfLog log;
  const auto refused = [&](const std::string& what, int error) {
    Diagnostic diagnostic = KernelRefused(what, error);
    if (const std::string tail = log.Tail(); !tail.empty()) diagnostic.message += ": " + tail;
    return diagnostic;
  };
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  options.object_name = "march_feeder";
  feeder.reset(bpf_object__open_mem(object.data(), object.size(), &options));
  if (feeder == nullptr) return refused("open the feeder", errno);
  bpf_map* packets = bpf_object__find_map_by_name(feeder.get(), "march_witnesses");
  bpf_map* counters = bpf_object__find_map_by_name(feeder.get(), "march_counters");
  bpf_map* programs = bpf_object__find_map_by_name(feeder.get(), "march_program");
  bpf_map* states = bpf_object__find_map_by_name(feeder.get(), "march_state");
  bpf_program* entry = bpf_object__find_program_by_name(feeder.get(), "march_feed");
  if (packets == nullptr || counters == nullptr || programs == nullptr || states == nullptr ||
      entry == nullptr) {
    return refused("open the feeder", EINVAL);
  }
  bpf_map__set_max_entries(packets, kMostAtOnce);
  if (const int error = bpf_map__reuse_fd(counters, program.counters.get()); error != 0) {
    return refused("share the counters with the feeder", -error);
  }
  if (const int error = bpf_object__load(feeder.get()); error != 0) {
    return refused("load the feeder", -error);
  }
  const std::uint32_t zero = 0;
  const int judge = program.prog.get();
  if (const int error = bpf_map_update_elem(bpf_map__fd(programs), &zero, &judge, BPF_ANY);
      error != 0) {
    return refused("give the feeder the program", -error);
  }
  void* memory = ::mmap(nullptr, kMostAtOnce * sizeof(march_witness), PROT_READ | PROT_WRITE,
                        MAP_SHARED, bpf_map__fd(packets), 0);
  if (memory == MAP_FAILED) return refused("map the witnesses into memory", errno);
  witnesses = static_cast<march_witness*>(memory);
  feed = bpf_program__fd(entry);
  state = bpf_map__fd(states);
  room = bpf_map__max_entries(counters) / static_cast<std::uint32_t>(libbpf_num_possible_cpus());
  return Done{};
}

Outcome<std::uint32_t> WitnessRun::State::Feed(std::span<const march_witness> batch,
                                               march_witness_state& result) {
  const std::uint32_t zero = 0;
  result = {};
  result.count = static_cast<std::uint32_t>(batch.size());
  result.room = room;
  std::memcpy(witnesses, batch.data(), batch.size_bytes());
  if (const int error = bpf_map_update_elem(state, &zero, &result, BPF_ANY); error != 0) {
    return KernelRefused("prepare the feeder", -error);
  }
  const Frame frame = FrameFor(batch.front().family);
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = frame.size();
  options.repeat = static_cast<int>(batch.size());
  if (const int error = bpf_prog_test_run_opts(feed, &options); error != 0) {
    return KernelRefused("run the feeder", -error);
  }
  if (const int error = bpf_map_lookup_elem(state, &zero, &result); error != 0) {
    return KernelRefused("ask the feeder", -error);
  }
  if (result.judged != batch.size()) {
    return KernelRefused("run the program on every witness", EIO);
  }
  return options.retval;
}

Outcome<bool> WitnessRun::State::Counts(std::span<const march_witness> batch,
                                        march_witness_state& result) {
  const auto before = SumCounters(program.counters.get());
  if (!before) return before.diagnostics();
  if (const auto fed = Feed(batch, result); !fed) return fed.diagnostics();
  const auto after = SumCounters(program.counters.get());
  if (!after) return after.diagnostics();
  std::vector<std::uint64_t> moved(after->size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    moved[i] = (*after)[i].packets - (*before)[i].packets;
  }
  for (const march_witness& witness : batch) {
    --moved.at(witness.slot);
    if (witness.audit != 0) --moved.at(witness.audit);
  }
  return std::all_of(moved.begin(), moved.end(), [](std::uint64_t rest) { return rest == 0; });
}

Outcome<WitnessMiss> WitnessRun::State::Look(const march_witness& witness, std::size_t index) {
  const auto before = SumCounters(program.counters.get());
  if (!before) return before.diagnostics();
  march_witness_state result;
  const auto action = Feed({&witness, 1}, result);
  if (!action) return action.diagnostics();
  const auto after = SumCounters(program.counters.get());
  if (!after) return after.diagnostics();
  WitnessMiss miss{index, *action, {}};
  for (std::size_t i = 0; i < after->size(); ++i) {
    const std::uint64_t times = (*after)[i].packets - (*before)[i].packets;
    miss.moved.insert(miss.moved.end(), times, static_cast<std::uint32_t>(i));
  }
  return miss;
}

// The first of a batch that moved a counter beyond its own: by halves.
Outcome<std::size_t> WitnessRun::State::FindOdd(std::span<const march_witness> batch) {
  std::size_t first = 0;
  for (std::size_t count = batch.size(); count > 1;) {
    march_witness_state result;
    const auto counts = Counts(batch.subspan(first, count / 2), result);
    if (!counts) return counts.diagnostics();
    if (*counts) first += count / 2;
    count = *counts ? count - count / 2 : count / 2;
  }
  return first;
}

WitnessRun::WitnessRun(std::unique_ptr<State> state) : state_(std::move(state)) {}
WitnessRun::WitnessRun(WitnessRun&&) noexcept = default;
WitnessRun& WitnessRun::operator=(WitnessRun&&) noexcept = default;
WitnessRun::~WitnessRun() = default;

Outcome<WitnessRun> WitnessRun::Load(const Image& image, std::string_view feeder) {
  auto program = LoadProgram(image);
  if (!program) return std::move(program).diagnostics();
  auto state = std::make_unique<State>();
  state->program = std::move(program).value();
  if (auto loaded = state->LoadFeeder(feeder); !loaded) return std::move(loaded).diagnostics();
  return WitnessRun(std::move(state));
}

Outcome<std::vector<WitnessMiss>> WitnessRun::Run(std::span<const march_witness> witnesses) {
  std::vector<WitnessMiss> misses;
  if (witnesses.empty()) return misses;
  march_witness_state result;
  const auto counts = state_->Counts(witnesses, result);
  if (!counts) return counts.diagnostics();
  std::vector<std::size_t> places(
      result.miss, result.miss + std::min<std::size_t>(result.misses, MARCH_WITNESS_MISSES));
  if (places.empty() && !*counts) {
    const auto odd = state_->FindOdd(witnesses);
    if (!odd) return odd.diagnostics();
    places.push_back(*odd);
  }
  for (const std::size_t place : places) {
    auto miss = state_->Look(witnesses[place], place);
    if (!miss) return std::move(miss).diagnostics();
    misses.push_back(std::move(miss).value());
  }
  return misses;
}

}  // namespace march::bpf
