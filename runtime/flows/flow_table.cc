#include "runtime/flows/flow_table.h"

#include <sys/mman.h>
#include <algorithm>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <system_error>

namespace march::flows {
namespace {

constexpr int kCutRounds = 3;

std::atomic_ref<std::uint64_t> WordAt(march_flow_bucket* buckets, std::uint32_t number) {
  return std::atomic_ref(buckets[number / MARCH_FLOW_LANES].words[number % MARCH_FLOW_LANES]);
}

bool Lives(std::uint64_t word, Tick now) {
  return (word & MARCH_FLOW_READY) != 0 && MARCH_FLOW_DEADLINE(word) >= now;
}

bool IsToBeSwept(std::uint64_t word, Tick now) {
  return (word & (MARCH_FLOW_READY | MARCH_FLOW_ENDED)) != 0 &&
         MARCH_FLOW_DEADLINE(word) + FlowTable::kGrace < now;
}

// The same flow's, whatever its deadline.
bool AreOfOneFlow(std::uint64_t a, std::uint64_t b) {
  return (a ^ b) >> 32 == 0;
}

using RecordWords = std::array<std::uint64_t, sizeof(march_flow) / sizeof(std::uint64_t)>;

// Word by word, since packets change them meanwhile.
march_flow CopyOf(march_flow& record) {
  auto* words = reinterpret_cast<std::uint64_t*>(&record);
  RecordWords copy;
  for (std::size_t i = 0; i < copy.size(); ++i) {
    copy[i] = std::atomic_ref(words[i]).load(std::memory_order_relaxed);
  }
  return std::bit_cast<march_flow>(copy);
}

bool HaveSameEnds(const march_flow& a, const march_flow& b) {
  return a.src_hi == b.src_hi && a.src_lo == b.src_lo && a.dst_hi == b.dst_hi &&
         a.dst_lo == b.dst_lo && a.l4 == b.l4;
}

Outcome<void*> MapArray(int fd, std::size_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return MakeDiagnostic(
        Code::kKernelRefused, {},
        "cannot map the connections into memory: " + std::generic_category().message(errno));
  }
  return memory;
}

}  // namespace

Outcome<FlowTable> FlowTable::Map(int buckets_fd, int flows_fd, const march_config& config) {
  FlowTable table;
  table.config_ = config;
  const auto buckets =
      MapArray(buckets_fd, table.places() / MARCH_FLOW_LANES * sizeof(march_flow_bucket));
  if (!buckets) return buckets.diagnostics();
  table.buckets_ = static_cast<march_flow_bucket*>(*buckets);
  table.is_mapped_ = true;
  const auto flows = MapArray(flows_fd, table.places() * sizeof(march_flow));
  if (!flows) return flows.diagnostics();
  table.flows_ = static_cast<march_flow*>(*flows);
  return table;
}

FlowTable::FlowTable(march_flow_bucket* buckets, march_flow* flows, const march_config& config)
    : config_(config), buckets_(buckets), flows_(flows) {}

FlowTable::FlowTable(FlowTable&& other) noexcept {
  *this = std::move(other);
}

FlowTable& FlowTable::operator=(FlowTable&& other) noexcept {
  std::swap(config_, other.config_);
  std::swap(buckets_, other.buckets_);
  std::swap(flows_, other.flows_);
  std::swap(is_mapped_, other.is_mapped_);
  std::swap(next_, other.next_);
  return *this;
}

FlowTable::~FlowTable() {
  if (!is_mapped_) return;
  if (buckets_ != nullptr) {
    ::munmap(buckets_, places() / MARCH_FLOW_LANES * sizeof(march_flow_bucket));
  }
  if (flows_ != nullptr) ::munmap(flows_, places() * sizeof(march_flow));
}

std::uint64_t FlowTable::established_capacity() const {
  return std::uint64_t{config_.flows.established} * MARCH_FLOW_LANES;
}

std::uint64_t FlowTable::fresh_capacity() const {
  return std::uint64_t{config_.flows.fresh} * MARCH_FLOW_LANES;
}

std::uint32_t FlowTable::places() const {
  return (config_.flows.established + config_.flows.fresh) * MARCH_FLOW_LANES;
}

std::optional<Flow> FlowTable::Read(std::uint32_t number, std::uint64_t word) const {
  Flow flow{number, word, CopyOf(flows_[number])};
  std::atomic_thread_fence(std::memory_order_acquire);
  flow.word = WordAt(buckets_, number).load(std::memory_order_relaxed);
  if (!AreOfOneFlow(flow.word, word)) return std::nullopt;
  return flow;
}

void FlowTable::Walk(Tick now, const std::function<void(const Flow&)>& visit) const {
  for (std::uint32_t number = 0; number < places(); ++number) {
    const std::uint64_t word = WordAt(buckets_, number).load(std::memory_order_acquire);
    if (!Lives(word, now)) continue;
    if (const auto flow = Read(number, word)) visit(*flow);
  }
}

Living FlowTable::Count(Tick now) const {
  Living living;
  const auto count = [&](std::uint32_t first, std::uint32_t last) {
    std::uint64_t flows = 0;
    for (std::uint32_t number = first; number < last; ++number) {
      flows += Lives(WordAt(buckets_, number).load(std::memory_order_relaxed), now) ? 1U : 0U;
    }
    return flows;
  };
  const auto border = static_cast<std::uint32_t>(established_capacity());
  living.established = count(0, border);
  living.fresh = count(border, places());
  return living;
}

Tick FlowTable::TimeoutOf(const march_flow& record) const {
  return march_native_flow_timeout(&config_, record.l4, MARCH_FLOW_STATE(record.judged));
}

Tick FlowTable::LastSeen(const Flow& flow) const {
  return static_cast<Tick>(MARCH_FLOW_DEADLINE(flow.word)) - TimeoutOf(flow.record);
}

// False: it was not there any more, or was cut already.
bool FlowTable::Cut(const Flow& flow, Tick now) {
  const std::atomic_ref judged(flows_[flow.number].judged);
  const std::uint64_t before = judged.fetch_or(MARCH_FLOW_CUT);
  if ((before & MARCH_FLOW_CUT) != 0) return false;
  const std::atomic_ref<std::uint64_t> at = WordAt(buckets_, flow.number);
  std::uint64_t word = at.load();
  if (!AreOfOneFlow(word, flow.word) || !HaveSameEnds(CopyOf(flows_[flow.number]), flow.record)) {
    judged.fetch_and(~std::uint64_t{MARCH_FLOW_CUT});
    return false;
  }
  // A packet that was on its way may still prolong it; and it may have ended meanwhile.
  const Tick deadline = now + TimeoutOf(flow.record);
  const march_native_flows table = native();
  march_native_note_spill(&table, &flow.record, flow.number, deadline);
  while (AreOfOneFlow(word, flow.word) &&
         !at.compare_exchange_weak(word, (word & ~std::uint64_t{0xFFFFFFFF}) | deadline)) {
  }
  return true;
}

std::uint64_t FlowTable::CutAll(Tick now, const std::function<bool(const march_flow&)>& matches) {
  std::uint64_t cut = 0;
  bool is_done = false;
  for (int round = 0; round < kCutRounds && !is_done; ++round) {
    is_done = true;
    Walk(now, [&](const Flow& flow) {
      if ((flow.record.judged & MARCH_FLOW_CUT) != 0 || !matches(flow.record)) return;
      is_done = false;
      if (Cut(flow, now)) ++cut;
    });
  }
  return cut;
}

FlowRecord FlowTable::RecordOf(const Flow& ended) const {
  FlowRecord record;
  record.flow = ended.record;
  const std::uint64_t state = MARCH_FLOW_STATE(ended.record.judged);
  const bool by_packet = (ended.word & MARCH_FLOW_ENDED) != 0;
  record.ended =
      by_packet ? static_cast<Tick>(MARCH_FLOW_DEADLINE(ended.word)) + 1 : LastSeen(ended);
  // It may have lived by shorter timeouts than those of now.
  record.ended = std::max<Tick>(record.ended, ended.record.begun);
  if ((ended.word & MARCH_FLOW_FORBIDDEN) != 0) {
    record.ending = Ending::kForbidden;
  } else if ((state & MARCH_FLOW_CUT) != 0) {
    record.ending = Ending::kCut;
  } else if ((state & MARCH_FLOW_RESET) != 0) {
    record.ending = Ending::kReset;
  } else if ((state & MARCH_FLOW_FINS) == MARCH_FLOW_FINS) {
    record.ending = Ending::kFinished;
  }
  return record;
}

bool FlowTable::Sweep(Tick now, std::size_t most,
                      const std::function<void(const FlowRecord&)>& take) {
  std::size_t taken = 0;
  for (; next_ < places(); ++next_) {
    const std::atomic_ref<std::uint64_t> at = WordAt(buckets_, next_);
    std::uint64_t word = at.load(std::memory_order_acquire);
    if (!IsToBeSwept(word, now)) continue;
    if (taken == most) return false;
    const Flow ended{next_, word, CopyOf(flows_[next_])};
    // It releases: what was read was read before.
    if (!at.compare_exchange_strong(word, 0, std::memory_order_acq_rel)) continue;
    ++taken;
    take(RecordOf(ended));
  }
  next_ = 0;
  return true;
}

}  // namespace march::flows
