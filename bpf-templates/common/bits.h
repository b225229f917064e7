/* Comparisons without a branch. Where either outcome is as good as random a branch would be
 * mispredicted every other time, and the verifier follows every combination of outcomes. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BITS_H
#define MARCH_BPF_TEMPLATES_COMMON_BITS_H

#include "bundle/abi/types.h"

/* 1 if it is, without a branch: or the verifier would follow every combination of outcomes. For the
 * same reason choices are products (since Linux 6.13 it also follows both values of a mask), of
 * numbers that the compiler does not know to be 0 or 1, or it would make branches of them. */
MARCH_INLINE uint64_t march_is_zero(uint64_t value) {
  uint64_t is_zero = ~(value | (0 - value)) >> 63;
  MARCH_OPAQUE(is_zero);
  return is_zero;
}

/* 1 if a < b: the borrow of a - b. BPF has no such instruction. */
MARCH_INLINE uint32_t march_below(uint64_t a, uint64_t b) {
  return (uint32_t)(((~a & b) | ((~a | b) & (a - b))) >> 63);
}

#endif
