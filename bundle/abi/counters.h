/* How the words of `march_counters` (bundle/abi/verdict.h) are counted in and read. Shared by the
 * generated programs and by whoever reads them. */
#ifndef MARCH_BUNDLE_ABI_COUNTERS_H
#define MARCH_BUNDLE_ABI_COUNTERS_H

#include "bundle/abi/types.h"
#include "bundle/abi/verdict.h"

#define MARCH_WORD_PACKET (1ull << 42)           /* one packet */
#define MARCH_WORD_BYTES (MARCH_WORD_PACKET - 1) /* where the bytes are */
#define MARCH_WORD_PARITY (1ull << 63)           /* odd: spilled an odd number of times */
#define MARCH_WORD_PACKETS (MARCH_WORD_PARITY - MARCH_WORD_PACKET) /* packets since it spilled */
#define MARCH_SPILL_PACKETS (1ull << 21)

/* A frame counts for so many bytes at most, so that those of MARCH_SPILL_PACKETS fit. No kernel
 * gives a program longer ones: even the largest that generic XDP sees in one piece are below. */
#define MARCH_MOST_BYTES (MARCH_SPILL_PACKETS - 1)

/* Entries of a block, and in it, the first of the two of a slot's wide counter. */
#define MARCH_COUNTER_BLOCK(slots) ((slots) * MARCH_COUNTER_WORDS)
#define MARCH_COUNTER_WIDE(slots, slot) ((slots) + (slot) * 2)

/* With one packet more. `bytes` is below 2^63. */
static inline uint64_t march_word_add(uint64_t word, uint64_t bytes) {
  /* All ones if there are too many: no branch. */
  const uint64_t over = 0 - ((MARCH_MOST_BYTES - bytes) >> 63);
  return word + MARCH_WORD_PACKET + ((bytes | over) & MARCH_MOST_BYTES);
}

/* Whether what march_word_add made of `word` must not be stored but spilled: MARCH_WORD_PACKETS are
 * all zero again, which is when their carry changes the parity. */
static inline int march_word_is_full(uint64_t word, uint64_t next) {
  return ((word ^ next) & MARCH_WORD_PARITY) != 0;
}

/* Who reads knows by the order of these stores which of them were made. Atomic operations that
 * fetch are full barriers (Linux 5.12); those that do not are none, so the compiler must see what
 * was fetched used. */
static inline void march_word_spill(uint64_t* word, uint64_t* packets, uint64_t* bytes,
                                    uint64_t full) {
  uint64_t fetched = __atomic_exchange_n(word, full & MARCH_WORD_PARITY, __ATOMIC_SEQ_CST);
  __asm__ volatile("" : : "r"(fetched));
  fetched = __atomic_fetch_add(bytes, full & MARCH_WORD_BYTES, __ATOMIC_SEQ_CST);
  __asm__ volatile("" : : "r"(fetched));
  fetched = __atomic_fetch_add(packets, MARCH_SPILL_PACKETS, __ATOMIC_SEQ_CST);
  __asm__ volatile("" : : "r"(fetched));
}

/* The wide counter's packets and the word are of one moment, unless they are 2^22 packets apart.
 * For that, read the packets, the bytes, the word, and the packets again, in this order: if the
 * packets are still the same and this holds, the bytes are of that moment too. Once the word has
 * begun anew it differs in parity until the packets have changed, and the bytes change between. */
static inline int march_word_agrees(uint64_t word, uint64_t wide_packets) {
  return word >> 63 == (wide_packets / MARCH_SPILL_PACKETS & 1);
}

/* Packets that the word holds, beyond the wide counter's. */
static inline uint64_t march_word_packets(uint64_t word) {
  return (word & MARCH_WORD_PACKETS) / MARCH_WORD_PACKET;
}

/* Packets that were counted between two looks at a word, modulo 2^22. */
static inline uint64_t march_word_moved(uint64_t before, uint64_t after) {
  return (after / MARCH_WORD_PACKET - before / MARCH_WORD_PACKET) & (2 * MARCH_SPILL_PACKETS - 1);
}

#endif
