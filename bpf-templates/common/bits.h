/* Comparisons without a branch. Where either outcome is as good as random a branch would be
 * mispredicted every other time, and the verifier follows every combination of outcomes. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BITS_H
#define MARCH_BPF_TEMPLATES_COMMON_BITS_H

#include "bundle/abi/types.h"

/* 1 if it is. Choices between values are then products: since Linux 6.13 the verifier also follows
 * both values of a mask. */
MARCH_INLINE uint64_t march_is_zero(uint64_t value) {
  return ~(value | (0 - value)) >> 63;
}

/* 1 if a < b: the borrow of a - b. BPF has no such instruction. */
MARCH_INLINE uint32_t march_below(uint64_t a, uint64_t b) {
  return (uint32_t)(((~a & b) | ((~a | b) & (a - b))) >> 63);
}

#endif
