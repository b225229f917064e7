/* SYN cookies (struct march_cookie_config): the numbers, and who has given one back. Compiled for
 * BPF and for the host.
 *
 * A cookie is SipHash-2-4 (Aumasson, Bernstein, INDOCRYPT 2012) of both ends and the minute, under
 * the gateway's secret. Its lowest bit is the minute's, so that a cookie of this minute or the last
 * is known by one look; the other 31 are what somebody has to guess who does not get the answer.
 *
 * The includer defines MARCH_INLINE, MARCH_UNROLLED, MARCH_CONFIG (the march_config), and
 *   struct march_real_line* march_real_line_at(uint32_t line);   0: there is none */
#ifndef MARCH_BPF_TEMPLATES_COMMON_COOKIE_H
#define MARCH_BPF_TEMPLATES_COMMON_COOKIE_H

#include "bits.h"
#include "bundle/abi/abuse.h"
#include "bundle/abi/config.h"
#include "bundle/abi/tables.h"

#define MARCH_MINUTE_SHIFT 36 /* of nanoseconds: such a minute is 68.7 s */

struct march_sip {
  uint64_t v0;
  uint64_t v1;
  uint64_t v2;
  uint64_t v3;
};

MARCH_INLINE uint64_t march_rotate(uint64_t value, uint32_t bits) {
  return value << bits | value >> (64 - bits);
}

MARCH_INLINE void march_sip_round(struct march_sip* s) {
  s->v0 += s->v1;
  s->v2 += s->v3;
  s->v1 = march_rotate(s->v1, 13) ^ s->v0;
  s->v3 = march_rotate(s->v3, 16) ^ s->v2;
  s->v0 = march_rotate(s->v0, 32);
  s->v2 += s->v1;
  s->v0 += s->v3;
  s->v1 = march_rotate(s->v1, 17) ^ s->v2;
  s->v3 = march_rotate(s->v3, 21) ^ s->v0;
  s->v2 = march_rotate(s->v2, 32);
}

MARCH_INLINE void march_sip_take(struct march_sip* s, uint64_t word) {
  s->v3 ^= word;
  march_sip_round(s);
  march_sip_round(s);
  s->v0 ^= word;
}

/* Of 39 bytes: both addresses, and seven bytes in `rest`. */
MARCH_INLINE uint64_t march_sip_hash(uint64_t k0, uint64_t k1, const struct march_key* key,
                                     uint64_t rest) {
  struct march_sip s = {k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
                        k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull};
  march_sip_take(&s, key->src_hi);
  march_sip_take(&s, key->src_lo);
  march_sip_take(&s, key->dst_hi);
  march_sip_take(&s, key->dst_lo);
  march_sip_take(&s, 39ull << 56 | rest);
  s.v2 ^= 0xff;
  march_sip_round(&s);
  march_sip_round(&s);
  march_sip_round(&s);
  march_sip_round(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* The sequence number of the answer to the SYN with this key. */
MARCH_INLINE uint32_t march_cookie_of(const struct march_key* key, uint32_t minute) {
  const uint64_t rest =
      (uint64_t)(minute & 0xffffffu) << 32 | (uint64_t)key->source_port << 16 | (key->l4 & 0xffffu);
  const uint64_t hash = march_sip_hash(MARCH_CONFIG.secret[0], MARCH_CONFIG.secret[1], key, rest);
  return ((uint32_t)hash & ~1u) | (minute & 1);
}

/* 1: who sent this key has got a cookie of this minute or the last. */
MARCH_INLINE uint32_t march_is_cookie(const struct march_key* key, uint32_t cookie,
                                      uint32_t minute) {
  return march_cookie_of(key, minute - ((minute ^ cookie) & 1)) == cookie;
}

MARCH_INLINE uint64_t march_source_mark(const struct march_key* key) {
  return march_address_mark(MARCH_CONFIG.secret[1], MARCH_CONFIG.secret[0], key->family,
                            key->src_hi, key->src_lo);
}

MARCH_INLINE struct march_real_line* march_real_line_of(uint64_t mark) {
  return march_real_line_at(
      (uint32_t)((mark & 0xffffffffu) * MARCH_CONFIG.abuse.cookies.lines >> 32));
}

/* How many more ticks a source is taken for real; 0: it is not. */
MARCH_INLINE uint32_t march_source_is_real(uint64_t mark, uint32_t now) {
  const struct march_real_line* line = march_real_line_of(mark);
  if (!line) return 0;
  uint32_t until = 0;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_REAL_SOURCES; ++i) {
    const uint64_t source = line->sources[i];
    until |= (uint32_t)(source * march_is_zero((source ^ mark) >> 32));
  }
  return until > now ? until - now : 0;
}

/* In the place of what was known of it, or else of the source that is forgotten first. */
MARCH_INLINE void march_remember_source(uint64_t mark, uint32_t now) {
  struct march_real_line* line = march_real_line_of(mark);
  if (!line) return;
  uint64_t best = ~0ull >> 1;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_REAL_SOURCES; ++i) {
    const uint64_t source = line->sources[i];
    const uint64_t is_other = march_is_zero((source ^ mark) >> 32) ^ 1;
    const uint64_t place = (source & 0xffffffffu) * is_other << 8 | i;
    best ^= (best ^ place) * ((place - best) >> 63);
  }
  uint64_t* word = &line->sources[best & (MARCH_REAL_SOURCES - 1)];
  *(volatile uint64_t*)word = (mark >> 32 << 32) | (now + MARCH_CONFIG.abuse.cookies.remember);
}

#endif
