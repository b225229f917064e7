/* The block list, as marchd writes it and the generated programs read it. Plain C: compiled for BPF
 * and for the host.
 *
 * Everything is there twice. The first word of `march_block_filter` is the *state*: which of the
 * two halves is in force (bit 0), and the seed of its hashes (bits 32-63). marchd writes the other
 * half, changes the state, and waits until no program reads the old one any more. So a packet sees
 * one list or the next, and nobody locks.
 *
 * A prefix belongs to one *group*: all prefixes that begin alike, and are not shorter than that
 * (enum march_block_level). Shorter ones than any group's are whole entries of the top. What an
 * address has behind what its group begins with is its *rest*, in 64 bits, the first one on top.
 *
 * n is march_abuse_config.blocks. `march_block_filter` is one value of words:
 *   8 words, of which the first is the state
 *   then each half: the top, 2 bits for each first 16 bits of an address, MARCH_BLOCK_TOP_*, IPv4,
 *   then IPv6; and a filter of n / 8 words. In it, three bits are set for every group (but those of
 *   16 bits) in the word that its hash names (a blocked Bloom filter: Putze, Sanders, Singler, WEA
 *   2007). If one is missing there is no such group. So nearly every address that is not listed is
 *   known as such here, in memory that fits a second-level cache.
 *
 * `march_blocks` is an array of lines of 64 bytes, each half:
 *   groups of IPv4, 3n / 16 lines of eight words, one a group; groups of IPv6, 3n / 8 lines of four
 *   times two words, what the group begins with and the group. A group is in the line that its hash
 *   names or, if that is full, in one of those behind it. 0 ends the search.
 *   keys, 2n words: the rests of some groups, where addresses begin to be listed and where they
 *   cease to be, in turn, ascending.
 *
 * A group: its level in bits 60-63; of IPv4, what it begins with in bits 32-55. If it has one
 * prefix that says no more than the first 8 (IPv4) or 32 (IPv6) bits of the rest: these bits, in
 * bits 16-23 or 0-31, and how many of their last do not matter in bits 24-27 or 32-37. Otherwise
 * MARCH_BLOCK_KEYED, the number of the first key in bits 0-21, and how many in 22-31 (IPv4) or
 * 32-55 (IPv6). */
#ifndef MARCH_BUNDLE_ABI_BLOCK_H
#define MARCH_BUNDLE_ABI_BLOCK_H

#include "bundle/abi/types.h"

#define MARCH_BLOCK_LEAST (1u << 10) /* of n */
#define MARCH_BLOCK_MOST (1u << 20)

/* By the length of what begins alike. */
enum march_block_level {
  MARCH_BLOCK_V4_16 = 1, /* prefixes of 17 to 23 bits */
  MARCH_BLOCK_V4_24 = 2, /* 24 to 32 */
  MARCH_BLOCK_V6_16 = 3, /* 17 to 31 */
  MARCH_BLOCK_V6_32 = 4, /* 32 to 63 */
  MARCH_BLOCK_V6_64 = 5, /* 64 to 128 */
  /* No group: in the filter alone, that there is a group of one of the two before. */
  MARCH_BLOCK_V6_32_ANY = 6
};

/* What begins with some 16 bits. */
#define MARCH_BLOCK_TOP_NONE 0u   /* nothing is listed */
#define MARCH_BLOCK_TOP_LISTED 1u /* everything is */
#define MARCH_BLOCK_TOP_LONGER 2u /* there are groups, but none of these 16 bits */
#define MARCH_BLOCK_TOP_GROUP 3u  /* there is one of these 16 bits */

/* Words of `march_block_filter`; of a half, from its start. */
#define MARCH_BLOCK_STATE_WORDS 8u
#define MARCH_BLOCK_TOP_WORDS 2048u /* of one family */
#define MARCH_BLOCK_FILTER (2 * MARCH_BLOCK_TOP_WORDS)
#define MARCH_BLOCK_FILTER_HALF(n) (MARCH_BLOCK_FILTER + (n) / 8)
#define MARCH_BLOCK_FILTER_WORDS(n) (MARCH_BLOCK_STATE_WORDS + 2 * MARCH_BLOCK_FILTER_HALF(n))

/* Lines of `march_blocks`; of a half, from its start. */
#define MARCH_BLOCK_LINE_WORDS 8u
#define MARCH_BLOCK_LINES4(n) ((n) * 3 / 16)
#define MARCH_BLOCK_LINES6(n) ((n) * 3 / 8)
#define MARCH_BLOCK_KEYS(n) (MARCH_BLOCK_LINES4(n) + MARCH_BLOCK_LINES6(n))
#define MARCH_BLOCK_HALF(n) (MARCH_BLOCK_KEYS(n) + (n) / 4)
#define MARCH_BLOCK_LINES(n) (2 * MARCH_BLOCK_HALF(n))

struct march_block_line {
  uint64_t words[MARCH_BLOCK_LINE_WORDS];
};

#define MARCH_BLOCK_PROBES 8u /* lines that a group can be in */

#define MARCH_BLOCK_LEVEL_SHIFT 60u
#define MARCH_BLOCK_KEYED (1ull << 59)
#define MARCH_BLOCK_BEGIN4_SHIFT 32u
/* By these bits groups of IPv4 differ. */
#define MARCH_BLOCK_NAME4 (0xfull << 60 | 0xffffffull << 32)
#define MARCH_BLOCK_FIRST_KEY 0x3fffffull

/* `begin` is what all in the group begin with. */
static inline uint64_t march_block_hash(uint64_t begin, uint32_t level, uint64_t seed) {
  return (begin + level * 0xd6e8feb86659fd93ull + (seed << 20)) * 0x9e3779b97f4a7c15ull;
}

/* The word of a half's filter, from the start of the half, and the bits in it. */
static inline uint64_t march_block_filter_word(uint64_t hash, uint32_t n) {
  return MARCH_BLOCK_FILTER + (hash >> 46 & (n / 8 - 1));
}
static inline uint64_t march_block_filter_bits(uint64_t hash) {
  return 1ull << (hash >> 28 & 63) | 1ull << (hash >> 34 & 63) | 1ull << (hash >> 40 & 63);
}

/* The first of `lines` that a group can be in. */
static inline uint64_t march_block_group_line(uint64_t hash, uint32_t lines) {
  return (hash >> 32) * lines >> 32;
}

#endif
