#include "runtime/bpf/counters.h"

#include <chrono>
#include <thread>

#include "bundle/abi/counters.h"

namespace march::bpf {
namespace {

constexpr int kTries = 200;
constexpr int kTriesWithoutPause = 50;
constexpr std::chrono::microseconds kPause{100};

// In the order of the members.
struct Look {
  std::uint64_t packets;
  std::uint64_t bytes;
  std::uint64_t word;
  std::uint64_t packets_after;

  bool Agrees() const { return packets == packets_after && march_word_agrees(word, packets) != 0; }
  march_counter Sum() const {
    return {packets + march_word_packets(word), bytes + (word & MARCH_WORD_BYTES)};
  }
};

std::uint64_t Load(const std::uint64_t* entry) {
  return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

Look LookAt(const std::uint64_t* block, std::size_t slots, std::size_t slot) {
  const std::uint64_t* wide = block + MARCH_COUNTER_WIDE(slots, slot);
  return {Load(wide), Load(wide + 1), Load(block + slot), Load(wide)};
}

}  // namespace

std::optional<march_counter> TryReadCounter(const std::uint64_t* block, std::size_t slots,
                                            std::size_t slot) {
  const Look look = LookAt(block, slots, slot);
  if (!look.Agrees()) return {};
  return look.Sum();
}

march_counter ReadCounter(const std::uint64_t* block, std::size_t slots, std::size_t slot) {
  for (int tries = 0; tries < kTries; ++tries) {
    if (const auto counter = TryReadCounter(block, slots, slot)) return *counter;
    if (tries >= kTriesWithoutPause) std::this_thread::sleep_for(kPause);
  }
  const Look look = LookAt(block, slots, slot);
  march_counter counter = look.Sum();
  if (!march_word_agrees(look.word, look.packets)) counter.packets += MARCH_SPILL_PACKETS;
  return counter;
}

}  // namespace march::bpf
