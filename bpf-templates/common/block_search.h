/* The search in the block list for an address that common/block.h says may be on it. The includer
 * defines what that asks for, MARCH_APART (a function by itself), and
 *   const struct march_block_line* march_block_line_at(uint32_t index);   0: there is none */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BLOCK_SEARCH_H
#define MARCH_BPF_TEMPLATES_COMMON_BLOCK_SEARCH_H

#include "block.h"

/* Halvings that settle a search among as many keys as there can be. */
#define MARCH_BLOCK_DEPTH 22u

MARCH_INLINE const struct march_block_line* march_block_line_of(uint64_t state, uint32_t line) {
  return march_block_line_at(((uint32_t)state & 1) * MARCH_BLOCK_HALF(MARCH_CONFIG.abuse.blocks) +
                             line);
}

MARCH_INLINE uint64_t march_block_key(uint64_t state, uint32_t number) {
  const struct march_block_line* line = march_block_line_of(
      state, MARCH_BLOCK_KEYS(MARCH_CONFIG.abuse.blocks) + number / MARCH_BLOCK_LINE_WORDS);
  MARCH_OPAQUE(number);
  return line ? line->words[number % MARCH_BLOCK_LINE_WORDS] : 0;
}

/* 1: `rest` is listed by `count` keys from the number `first` on. Where an odd number of them is
 * not above it, listed addresses have begun and not ended. */
MARCH_APART int march_block_keys_list(uint64_t state, uint32_t first, uint32_t count,
                                      uint64_t rest) {
  if (MARCH_CONFIG.abuse.blocks == 0) return 0;
  uint32_t rank = 0;
  for (uint32_t step = 0; step < MARCH_BLOCK_DEPTH && count != 0; ++step) {
    const uint32_t half = count / 2;
    const uint32_t above = march_below(rest, march_block_key(state, first + rank + half));
    rank += (half + 1) * (above ^ 1);
    count = half - (above ^ 1) * (count % 2 ^ 1);
  }
  return (int)(rank & 1);
}

/* The group, 0 if there is none. */
MARCH_INLINE uint64_t march_block_find4(uint64_t state, uint32_t level, uint64_t begin) {
  const uint32_t lines = MARCH_BLOCK_LINES4(MARCH_CONFIG.abuse.blocks);
  const uint64_t name =
      (uint64_t)level << MARCH_BLOCK_LEVEL_SHIFT | begin << MARCH_BLOCK_BEGIN4_SHIFT;
  const uint64_t hash = march_block_hash(begin, level, state >> 32);
  uint32_t number = (uint32_t)march_block_group_line(hash, lines);
  for (uint32_t probe = 0; probe < MARCH_BLOCK_PROBES; ++probe) {
    const struct march_block_line* line = march_block_line_of(state, number);
    if (!line) return 0;
    uint64_t found = 0;
    MARCH_UNROLLED
    for (uint32_t i = 0; i < MARCH_BLOCK_LINE_WORDS; ++i) {
      const uint64_t group = line->words[i];
      found |= group * march_is_zero((group & MARCH_BLOCK_NAME4) ^ name);
    }
    if (found != 0 || line->words[MARCH_BLOCK_LINE_WORDS - 1] == 0) return found;
    number = number + 1 == lines ? 0 : number + 1;
  }
  return 0;
}

MARCH_INLINE uint64_t march_block_find6(uint64_t state, uint32_t level, uint64_t begin) {
  const uint32_t lines = MARCH_BLOCK_LINES6(MARCH_CONFIG.abuse.blocks);
  const uint64_t hash = march_block_hash(begin, level, state >> 32);
  uint32_t number = (uint32_t)march_block_group_line(hash, lines);
  for (uint32_t probe = 0; probe < MARCH_BLOCK_PROBES; ++probe) {
    const struct march_block_line* line =
        march_block_line_of(state, MARCH_BLOCK_LINES4(MARCH_CONFIG.abuse.blocks) + number);
    if (!line) return 0;
    uint64_t found = 0;
    MARCH_UNROLLED
    for (uint32_t i = 0; i < MARCH_BLOCK_LINE_WORDS; i += 2) {
      const uint64_t group = line->words[i + 1];
      found |= group *
               march_is_zero((line->words[i] ^ begin) | (group >> MARCH_BLOCK_LEVEL_SHIFT ^ level));
    }
    if (found != 0 || line->words[MARCH_BLOCK_LINE_WORDS - 1] == 0) return found;
    number = number + 1 == lines ? 0 : number + 1;
  }
  return 0;
}

/* 1: the group that begins so, if there is one, lists what has this rest. */
MARCH_APART int march_block_group4_lists(uint64_t state, uint32_t level, uint64_t begin,
                                         uint64_t rest) {
  if (MARCH_CONFIG.abuse.blocks == 0) return 0;
  const uint64_t group = march_block_find4(state, level, begin);
  if (group == 0) return 0;
  if (group & MARCH_BLOCK_KEYED) {
    return march_block_keys_list(state, (uint32_t)(group & MARCH_BLOCK_FIRST_KEY),
                                 (uint32_t)group >> 22, rest);
  }
  const uint64_t differs = rest >> 56 ^ (group >> 16 & 0xff);
  return (int)march_is_zero(differs >> (group >> 24 & 15));
}

MARCH_APART int march_block_group6_lists(uint64_t state, uint32_t level, uint64_t begin,
                                         uint64_t rest) {
  if (MARCH_CONFIG.abuse.blocks == 0) return 0;
  const uint64_t group = march_block_find6(state, level, begin);
  if (group == 0) return 0;
  if (group & MARCH_BLOCK_KEYED) {
    return march_block_keys_list(state, (uint32_t)(group & MARCH_BLOCK_FIRST_KEY),
                                 (uint32_t)(group >> 32) & 0xffffff, rest);
  }
  const uint64_t differs = rest >> 32 ^ (group & 0xffffffff);
  return (int)march_is_zero(differs >> (group >> 32 & 63));
}

MARCH_APART int march_block_lists(uint64_t state, uint32_t family, uint32_t top, uint64_t hi,
                                  uint64_t lo) {
  if (MARCH_CONFIG.abuse.blocks == 0) return 0;
  if (top == MARCH_BLOCK_TOP_LISTED) return 1;
  if (family == 4) {
    if (top == MARCH_BLOCK_TOP_GROUP &&
        march_block_group4_lists(state, MARCH_BLOCK_V4_16, lo >> 16, lo << 48)) {
      return 1;
    }
    return march_block_group4_lists(state, MARCH_BLOCK_V4_24, lo >> 8, lo << 56);
  }
  if (top == MARCH_BLOCK_TOP_GROUP &&
      march_block_group6_lists(state, MARCH_BLOCK_V6_16, hi >> 48, hi << 16)) {
    return 1;
  }
  const uint64_t* words = march_block_words();
  if (!words) return 0;
  const uint64_t* half = march_block_half(words, state);
  if (march_block_may_have(half, state, MARCH_BLOCK_V6_32, hi >> 32) &&
      march_block_group6_lists(state, MARCH_BLOCK_V6_32, hi >> 32, hi << 32)) {
    return 1;
  }
  return march_block_may_have(half, state, MARCH_BLOCK_V6_64, hi) &&
         march_block_group6_lists(state, MARCH_BLOCK_V6_64, hi, lo);
}

#endif
