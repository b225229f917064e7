/* The buckets of limits (bundle/abi/limit.h): whether there is room in one. The one implementation,
 * compiled for BPF and for the host, where it is tested against a model.
 *
 * CPUs share buckets without locks. What a packet takes it adds to what is used up; if that turns
 * out to be more than there is, it gives it back, and is above the limit. So no two take the same
 * room, and for a moment there may seem to be less of it than there is.
 *
 * The cheap clock is asked first, and the precise one only when a packet seems to be above the
 * limit. So what is used up of a full bucket may be written down as if it were some milliseconds
 * ago: of any time, no more passes than the rate, a burst, and what the rate is in one tick of the
 * cheap clock.
 *
 * The includer defines MARCH_INLINE, MARCH_OPAQUE, MARCH_UNROLLED, MARCH_CONFIG (the march_config),
 * and
 *   struct march_bucket_line* march_limit_line(uint32_t number);   0: there is none
 *   uint64_t march_limit_time(void);           nanoseconds, cheap, some milliseconds late
 *   uint64_t march_limit_precise_time(void);   the same, not late
 *   void march_limit_statistic(uint32_t which);   enum march_statistic */
#ifndef MARCH_BPF_TEMPLATES_COMMON_LIMIT_H
#define MARCH_BPF_TEMPLATES_COMMON_LIMIT_H

#include "bundle/abi/config.h"
#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"

#define MARCH_LIMIT_TRIES 4u
#define MARCH_NO_BUCKET 0xffffffffu

#define MARCH_LIMIT_FACTOR 0x9e3779b97f4a7c15ull

/* The upper `bits` of a half of an address. */
MARCH_INLINE uint64_t march_upper_bits(uint64_t half, uint32_t bits) {
  const uint64_t shift = bits >= 64 ? 0 : 64 - bits;
  return half >> (shift & 63) << (shift & 63) & (0 - (uint64_t)(bits != 0));
}

/* Who has which bucket: the limit, and the address. The factors are the gateway's own: who does not
 * know them cannot choose addresses whose hashes meet more often than by chance. */
MARCH_INLINE uint64_t march_limit_hash(const struct march_limit* limit,
                                       const struct march_key* key) {
  uint64_t hash = limit->identity;
  if (limit->per != MARCH_LIMIT_PER_MAPPING) {
    const uint32_t is_source = limit->per == MARCH_LIMIT_PER_SOURCE;
    const uint32_t is_v4 = key->family == 4;
    const uint64_t high = is_source ? key->src_hi : key->dst_hi;
    const uint64_t low = is_source ? key->src_lo : key->dst_lo;
    const uint32_t bits = limit->prefix_v6;
    const uint64_t first =
        is_v4 ? march_upper_bits(low << 32, limit->prefix_v4) : march_upper_bits(high, bits);
    const uint64_t second = is_v4 ? 0 : march_upper_bits(low, bits > 64 ? bits - 64 : 0);
    hash = ((hash ^ is_v4) + first) * (MARCH_CONFIG.secret[0] | 1);
    hash = ((hash ^ hash >> 32) + second) * (MARCH_CONFIG.secret[1] | 1);
  }
  return (hash ^ hash >> 32) * MARCH_LIMIT_FACTOR;
}

MARCH_INLINE uint32_t march_limit_line_of(uint64_t hash) {
  return (uint32_t)((hash >> 32) * MARCH_CONFIG.limits.lines >> 32);
}

MARCH_INLINE uint32_t march_limit_tag(const struct march_limit* limit, uint64_t hash) {
  const uint32_t kind = limit->per == MARCH_LIMIT_PER_MAPPING ? MARCH_BUCKET_OF_MAPPING : 0;
  return ((uint32_t)(hash >> 8) & ~3u) | kind | MARCH_BUCKET_TAKEN;
}

MARCH_INLINE struct march_bucket* march_bucket_at(uint32_t number) {
  struct march_bucket_line* line = march_limit_line(number / MARCH_LIMIT_LANES);
  MARCH_OPAQUE(number);
  return line ? &line->buckets[number % MARCH_LIMIT_LANES] : 0;
}

/* How fit a bucket is, less is better: the one that is looked for; one that says nothing; of
 * others, the one that says least. */
#define MARCH_BUCKET_OWN 0ull
#define MARCH_BUCKET_IDLE 1ull

MARCH_INLINE uint64_t march_bucket_rank(const struct march_bucket* bucket, uint32_t tag,
                                        uint32_t tick) {
  const uint32_t found = bucket->tag;
  const uint32_t left = bucket->full - tick; /* ticks, modulo 2^32: two years and a quarter */
  if (found == tag) return MARCH_BUCKET_OWN;
  if (found == 0 || left == 0 || left >> 31 != 0) return MARCH_BUCKET_IDLE;
  return MARCH_BUCKET_IDLE + left + ((uint64_t)(found & MARCH_BUCKET_OF_MAPPING) << 32);
}

/* The number of the bucket for a tag, which may have to be begun; MARCH_NO_BUCKET if other CPUs
 * were always faster. */
MARCH_INLINE uint32_t march_bucket_find(uint32_t number_of_line, uint32_t tag, uint32_t tick,
                                        uint32_t refill) {
  struct march_bucket_line* line = march_limit_line(number_of_line);
  if (!line) return MARCH_NO_BUCKET;
  uint64_t best = ~0ull;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_LIMIT_LANES; ++i) {
    const uint64_t rank = march_bucket_rank(&line->buckets[i], tag, tick) << 8 | i;
    if (rank < best) best = rank;
  }
  uint32_t lane = (uint32_t)best;
  MARCH_OPAQUE(lane);
  lane %= MARCH_LIMIT_LANES;
  struct march_bucket* bucket = &line->buckets[lane];
  if (best >> 8 != MARCH_BUCKET_OWN) {
    const uint32_t before = bucket->tag;
    if (before == tag) return number_of_line * MARCH_LIMIT_LANES + lane;
    if (__sync_val_compare_and_swap(&bucket->tag, before, tag) != before) return MARCH_NO_BUCKET;
    /* Full: all of it is room. Who found the tag before this saw what another had used. */
    *(volatile uint64_t*)&bucket->used = 0;
    *(volatile uint32_t*)&bucket->full = tick + refill;
    if (best >> 8 > MARCH_BUCKET_IDLE) march_limit_statistic(MARCH_STATISTIC_LIMITS_EVICTED);
  }
  return number_of_line * MARCH_LIMIT_LANES + lane;
}

/* Takes `marks` at a moment of the limit's clock. 1: there was room. */
MARCH_INLINE uint32_t march_bucket_take(struct march_bucket* bucket, uint64_t clock, uint64_t room,
                                        uint64_t marks) {
  if (marks > room) return 0;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_LIMIT_TRIES; ++i) {
    const uint64_t used = *(const volatile uint64_t*)&bucket->used;
    if (used + marks > clock) return 0;
    if (clock - used <= room) break;
    /* It is full: what was used longer ago than a burst is forgotten. */
    if (__sync_val_compare_and_swap(&bucket->used, used, clock - room + marks) == used) return 1;
  }
  const uint64_t before = __sync_fetch_and_add(&bucket->used, marks);
  if (before + marks <= clock) return 1;
  const uint64_t given = __sync_fetch_and_sub(&bucket->used, marks);
  __asm__ volatile("" : : "r"(given));
  return 0;
}

/* What a packet takes of a limit, in marks. `bytes` is below 2^30. */
MARCH_INLINE uint64_t march_limit_cost(const struct march_limit* limit, uint64_t bytes,
                                       uint32_t is_new_flow) {
  const uint64_t units = limit->unit == MARCH_LIMIT_BYTES         ? bytes
                         : limit->unit == MARCH_LIMIT_CONNECTIONS ? is_new_flow
                                                                  : 1;
  return units << (limit->shift & 63);
}

/* Takes `marks` of a limit for a packet. The number of the bucket, or MARCH_NO_BUCKET: above it. */
MARCH_INLINE uint32_t march_limit_take(const struct march_limit* limit, const struct march_key* key,
                                       uint64_t marks, uint64_t now) {
  const uint64_t hash = march_limit_hash(limit, key);
  const uint32_t tick = (uint32_t)(now >> MARCH_LIMIT_TICK_SHIFT);
  const uint32_t number = march_bucket_find(march_limit_line_of(hash), march_limit_tag(limit, hash),
                                            tick, limit->refill);
  struct march_bucket* bucket = march_bucket_at(number);
  if (number == MARCH_NO_BUCKET || !bucket) {
    march_limit_statistic(MARCH_STATISTIC_LIMITS_BUSY);
    return MARCH_NO_BUCKET;
  }
  if (!march_bucket_take(bucket, march_limit_clock(limit, now), limit->room, marks)) {
    const uint64_t precise = march_limit_precise_time();
    if (!march_bucket_take(bucket, march_limit_clock(limit, precise), limit->room, marks)) {
      return MARCH_NO_BUCKET;
    }
  }
  if (bucket->full != tick + limit->refill) bucket->full = tick + limit->refill;
  return number;
}

#endif
