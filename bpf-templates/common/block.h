/* Whether an address may be on the block list (bundle/abi/block.h). The one implementation,
 * compiled for BPF and for the host.
 *
 * The includer defines MARCH_INLINE, MARCH_OPAQUE(variable) (hides from the compiler what it
 * knows), MARCH_UNROLLED (the loop behind is), MARCH_APART, MARCH_CONFIG (the march_config), and
 *   const uint64_t* march_block_words(void);   the filter's words; 0: there is none */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BLOCK_H
#define MARCH_BPF_TEMPLATES_COMMON_BLOCK_H

#include "bits.h"
#include "bundle/abi/block.h"
#include "bundle/abi/config.h"

/* The half in force. */
MARCH_INLINE const uint64_t* march_block_half(const uint64_t* words, uint64_t state) {
  return words + MARCH_BLOCK_STATE_WORDS +
         (state & 1) * MARCH_BLOCK_FILTER_HALF(MARCH_CONFIG.abuse.blocks);
}

/* MARCH_BLOCK_TOP_* of the first 16 bits of an address. */
MARCH_INLINE uint32_t march_block_top(const uint64_t* half, uint32_t first_word, uint64_t begin) {
  uint32_t word = (uint32_t)begin >> 5;
  MARCH_OPAQUE(word);
  return (uint32_t)(half[first_word + (word & (MARCH_BLOCK_TOP_WORDS - 1))] >> (begin & 31) * 2) &
         3;
}

/* 0: there is no such group. */
MARCH_INLINE uint32_t march_block_may_have(const uint64_t* half, uint64_t state, uint32_t level,
                                           uint64_t begin) {
  const uint64_t hash = march_block_hash(begin, level, state >> 32);
  const uint64_t word = half[march_block_filter_word(hash, MARCH_CONFIG.abuse.blocks)];
  return (uint32_t)march_is_zero(~word & march_block_filter_bits(hash));
}

/* 0: the address is not listed. Otherwise MARCH_BLOCK_TOP_* of its first 16 bits, and
 * march_block_lists knows. `state` is the list's from here on. */
MARCH_INLINE uint32_t march_block_may_list(uint32_t family, uint64_t hi, uint64_t lo,
                                           uint64_t* state) {
  const uint64_t* words = march_block_words();
  if (!words) return 0;
  *state = words[0];
  const uint64_t* half = march_block_half(words, *state);
  const uint32_t top = family == 4 ? march_block_top(half, 0, lo >> 16)
                                   : march_block_top(half, MARCH_BLOCK_TOP_WORDS, hi >> 48);
  if (top != MARCH_BLOCK_TOP_LONGER) return top;
  return (family == 4 ? march_block_may_have(half, *state, MARCH_BLOCK_V4_24, lo >> 8)
                      : march_block_may_have(half, *state, MARCH_BLOCK_V6_32_ANY, hi >> 32)) *
         MARCH_BLOCK_TOP_LONGER;
}

/* 1: the address is listed. `top` is what march_block_may_list says. common/block_search.h */
MARCH_APART int march_block_lists(uint64_t state, uint32_t family, uint32_t top, uint64_t hi,
                                  uint64_t lo);

#endif
