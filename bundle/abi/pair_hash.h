/* Where a pair of classes has its place in the table of pairs (bundle/abi/tables.h), and the tag by
 * which its line tells it from all other pairs that could have theirs there. */
#ifndef MARCH_BUNDLE_ABI_PAIR_HASH_H
#define MARCH_BUNDLE_ABI_PAIR_HASH_H

#include "bundle/abi/tables.h"
#include "bundle/abi/types.h"

/* The pair of a source's value and a destination's class, `bits` wide, of which the lower
 * `destination_bits` are the destination's, in another order. No two pairs have the same key:
 * multiplying by odd numbers and folding the upper half onto the lower can be undone
 * ("quotienting": Knuth, TAOCP 3, 6.4, exercise 13). The constants have no structure (SplitMix64's
 * and xxHash64's). 0 < destination_bits < bits < 64. */
static inline uint64_t march_pair_key(uint64_t source, uint64_t destination,
                                      uint32_t destination_bits, uint32_t bits) {
  const uint64_t mask = ~0ull >> ((64 - bits) & 63);
  uint64_t key = (source << (destination_bits & 63)) | destination;
  key = (key * 0x9e3779b97f4a7c15ull) & mask;
  key ^= key >> ((bits + 1) >> 1 & 63);
  return (key * 0xc2b2ae3d27d4eb4full) & mask;
}

/* Below `lines`: the keys in their order, dealt to the lines evenly. So those of one line follow
 * each other, and their lower bits tell them apart. */
static inline uint64_t march_pair_line(uint64_t key, uint32_t bits, uint32_t lines) {
  return ((key << ((64 - bits) & 63) >> 32) * lines) >> 32;
}

static inline uint64_t march_pair_tag(uint64_t key) {
  return key & (MARCH_PAIR_TAGS - 1);
}

#endif
