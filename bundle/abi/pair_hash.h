/* Where a pair of classes has its place in the table of pairs (bundle/abi/tables.h). */
#ifndef MARCH_BUNDLE_ABI_PAIR_HASH_H
#define MARCH_BUNDLE_ABI_PAIR_HASH_H

#include "bundle/abi/types.h"

/* Below `lines`. Two multiplications and a fold: the constants are odd and have no structure
 * (SplitMix64's and xxHash64's). */
static inline uint64_t march_pair_line(uint32_t source, uint32_t destination, uint32_t lines) {
  uint64_t hash = source * 0x9e3779b97f4a7c15ull + destination * 0xc2b2ae3d27d4eb4full;
  hash ^= hash >> 32;
  hash *= 0xff51afd7ed558ccdull;
  return ((hash >> 32) * lines) >> 32;
}

#endif
