/* Where a pair of classes has its place in the table of pairs (bundle/abi/tables.h), the tag by
 * which its line tells it from all other pairs that could have theirs there, and what its word
 * says. */
#ifndef MARCH_BUNDLE_ABI_PAIR_HASH_H
#define MARCH_BUNDLE_ABI_PAIR_HASH_H

#include "bundle/abi/tables.h"
#include "bundle/abi/types.h"
#include "bundle/abi/verdict.h"

/* Odd, and without structure (SplitMix64's and xxHash64's). */
#define MARCH_PAIR_FACTOR 0x9e3779b97f4a7c15ull
#define MARCH_PAIR_SECOND_FACTOR 0xc2b2ae3d27d4eb4full

/* The pair of a source's value and a destination's class, `bits` wide, of which the lower
 * `destination_bits` are the destination's, in another order. No two pairs have the same key:
 * multiplying by odd numbers and folding the upper half onto the lower can be undone
 * ("quotienting": Knuth, TAOCP 3, 6.4, exercise 13). 0 < destination_bits < bits < 64. */
static inline uint64_t march_pair_key(uint64_t source, uint64_t destination,
                                      uint32_t destination_bits, uint32_t bits) {
  const uint64_t mask = ~0ull >> ((64 - bits) & 63);
  uint64_t key = (source << (destination_bits & 63)) | destination;
  key = (key * MARCH_PAIR_FACTOR) & mask;
  key ^= key >> ((bits + 1) >> 1 & 63);
  return (key * MARCH_PAIR_SECOND_FACTOR) & mask;
}

/* Below `lines`: the keys in their order, dealt to the lines evenly. So those of one line follow
 * each other, and their lower bits tell them apart. */
static inline uint64_t march_pair_line(uint64_t key, uint32_t bits, uint32_t lines) {
  return ((key << ((64 - bits) & 63) >> 32) * lines) >> 32;
}

static inline uint64_t march_pair_tag(uint64_t key) {
  return key & (MARCH_PAIR_TAGS - 1);
}

/* The leaf that a pair's word stands for; of one that is elsewhere, only whether it is final. */
static inline uint64_t march_pair_leaf(uint64_t pair, uint32_t slot_bits) {
  const uint64_t kind = MARCH_PAIR_KIND(pair);
  const uint64_t leaf = kind << 62 | (pair & MARCH_PAIR_FINAL) << 26;
  if (kind == MARCH_LEAF_RULE) {
    const uint64_t rule = pair & ((1ull << MARCH_PAIR_RULE_BITS) - 1);
    const uint64_t slot = rule & ((1ull << (slot_bits & 31)) - 1);
    return leaf | (rule >> (slot_bits & 31) >> 1) << 32 |
           MARCH_VERDICT(rule >> (slot_bits & 31) & 1, slot);
  }
  if (kind == MARCH_LEAF_LIST) {
    return leaf | (pair >> MARCH_PAIR_LIST_SHIFT & 15) << 32 | (pair & (MARCH_PAIR_WORDS - 1));
  }
  return leaf;
}

#endif
