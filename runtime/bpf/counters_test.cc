// The rules of bundle/abi/counters.h on ordinary memory, with a writer that follows them as a
// program in the kernel does.
#include "runtime/bpf/counters.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "bundle/abi/counters.h"

namespace march::bpf {
namespace {

constexpr std::size_t kSlots = 3;
constexpr std::size_t kSlot = 1;
constexpr std::uint64_t kFrame = 1500;

using Block = std::array<std::uint64_t, MARCH_COUNTER_BLOCK(kSlots)>;

std::uint64_t& Word(Block& block) {
  return block[kSlot];
}
std::uint64_t& WidePackets(Block& block) {
  return block[MARCH_COUNTER_WIDE(kSlots, kSlot)];
}
std::uint64_t& WideBytes(Block& block) {
  return block[MARCH_COUNTER_WIDE(kSlots, kSlot) + 1];
}

void Count(Block& block, std::uint64_t bytes) {
  const std::uint64_t next = march_word_add(Word(block), bytes);
  if (march_word_is_full(Word(block), next)) {
    march_word_spill(&Word(block), &WidePackets(block), &WideBytes(block), next);
  } else {
    __atomic_store_n(&Word(block), next, __ATOMIC_RELEASE);
  }
}

// As if `packets` frames had been counted, of which none made the word spill.
void CountMany(Block& block, std::uint64_t packets) {
  const std::uint64_t next = Word(block) + packets * (MARCH_WORD_PACKET + kFrame);
  __atomic_store_n(&Word(block), next, __ATOMIC_RELEASE);
}

march_counter Read(const Block& block) {
  const auto counter = TryReadCounter(block.data(), kSlots, kSlot);
  REQUIRE(counter.has_value());
  return *counter;
}

TEST_CASE("a word counts packets and bytes") {
  Block block{};
  CHECK(Read(block).packets == 0);
  CHECK(Read(block).bytes == 0);
  Count(block, 60);
  Count(block, 9000);
  CHECK(Read(block).packets == 2);
  CHECK(Read(block).bytes == 9060);
  CHECK(WidePackets(block) == 0);
  CHECK(march_word_moved(0, Word(block)) == 2);
}

TEST_CASE("a word spills after every 2^21 packets, and nothing is lost") {
  Block block{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t spills = 1; spills <= 5; ++spills) {
    CountMany(block, MARCH_SPILL_PACKETS - 2);
    packets += MARCH_SPILL_PACKETS - 2;
    bytes += (MARCH_SPILL_PACKETS - 2) * kFrame;
    for (const std::uint64_t frame : {61U, 62U}) {
      CHECK(Read(block).packets == packets);
      CHECK(Read(block).bytes == bytes);
      const std::uint64_t before = Word(block);
      Count(block, frame);
      CHECK(march_word_moved(before, Word(block)) == 1);
      ++packets;
      bytes += frame;
    }
    CHECK(Read(block).packets == packets);
    CHECK(Read(block).bytes == bytes);
    CHECK(WidePackets(block) == spills << 21);
    CHECK(WideBytes(block) == bytes);
    CHECK(Word(block) == (spills % 2 == 1 ? MARCH_WORD_PARITY : 0));
  }
}

TEST_CASE("the longest frames fit, and none counts for more") {
  constexpr std::uint64_t kMost = MARCH_MOST_BYTES;
  CHECK(march_word_add(0, kMost) == MARCH_WORD_PACKET + kMost);
  for (const std::uint64_t bytes : {kMost + 1, std::uint64_t{1} << 32, ~std::uint64_t{0} >> 1}) {
    CHECK(march_word_add(0, bytes) == MARCH_WORD_PACKET + kMost);
  }
  Block block{};
  Word(block) = (MARCH_SPILL_PACKETS - 1) * (MARCH_WORD_PACKET + kMost);
  Count(block, kMost);
  CHECK(Read(block).packets == MARCH_SPILL_PACKETS);
  CHECK(Read(block).bytes == MARCH_SPILL_PACKETS * kMost);
}

TEST_CASE("in the midst of a spill there is no answer, and all packets for who cannot wait") {
  Block block{};
  CountMany(block, MARCH_SPILL_PACKETS - 1);
  const march_counter before = Read(block);
  // What march_word_spill stores, one after the other.
  const std::uint64_t bytes = (Word(block) & MARCH_WORD_BYTES) + kFrame;
  Word(block) = MARCH_WORD_PARITY;
  CHECK_FALSE(TryReadCounter(block.data(), kSlots, kSlot).has_value());
  CHECK(ReadCounter(block.data(), kSlots, kSlot).packets == before.packets + 1);
  WideBytes(block) += bytes;
  CHECK_FALSE(TryReadCounter(block.data(), kSlots, kSlot).has_value());
  CHECK(ReadCounter(block.data(), kSlots, kSlot).packets == before.packets + 1);
  CHECK(ReadCounter(block.data(), kSlots, kSlot).bytes == before.bytes + kFrame);
  WidePackets(block) += MARCH_SPILL_PACKETS;
  CHECK(Read(block).packets == before.packets + 1);
  CHECK(Read(block).bytes == before.bytes + kFrame);
}

TEST_CASE("who reads while a word spills over and over sees neither less nor more than there was") {
  constexpr int kSpills = 3'000'000;
  Block block{};
  std::atomic<std::uint64_t> begun{0};  // packets
  std::atomic<std::uint64_t> done{0};
  std::thread writer([&] {
    std::uint64_t packets = 0;
    for (int spill = 0; spill < kSpills; ++spill) {
      packets += MARCH_SPILL_PACKETS - 1;
      begun = packets;
      CountMany(block, MARCH_SPILL_PACKETS - 1);
      done = packets;
      begun = ++packets;
      Count(block, kFrame);
      done = packets;
    }
  });
  constexpr std::uint64_t kAll = kSpills * MARCH_SPILL_PACKETS;
  int wrong = 0;
  int reads = 0;
  int refused = 0;
  std::uint64_t last = 0;
  while (last != kAll) {
    const std::uint64_t least = done;
    const auto counter = TryReadCounter(block.data(), kSlots, kSlot);
    const std::uint64_t most = begun;
    if (!counter) {
      ++refused;
      if (least == kAll) break;  // nobody writes any more
      continue;
    }
    ++reads;
    if (counter->packets < least || counter->packets > most || counter->packets < last ||
        counter->bytes != counter->packets * kFrame) {
      ++wrong;
    }
    last = counter->packets;
    if (least == kAll && last != kAll) break;
  }
  writer.join();
  INFO(reads << " reads, " << refused << " refused");
  CHECK(wrong == 0);
  CHECK(reads > 0);
  CHECK(Read(block).packets == kAll);
  CHECK(Read(block).bytes == kAll * kFrame);
}

}  // namespace
}  // namespace march::bpf
