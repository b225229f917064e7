/* Limits of mappings: whether a packet has room in the buckets of all limits that its mapping has.
 * The includer defines what common/limit.h and common/treatment.h ask for. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_ADMIT_H
#define MARCH_BPF_TEMPLATES_COMMON_ADMIT_H

#include "limit.h"
#include "treatment.h"

/* What becomes of a packet: MARCH_LIMIT_ADMITTED, or what its mapping says of packets above the
 * limit, and the slot where they count. */
#define MARCH_LIMIT_ADMITTED 0u
#define MARCH_LIMIT_EXCEEDED(counter, exceed) ((counter) << 8 | ((exceed) + 1u))
#define MARCH_LIMIT_COUNTER(result) ((result) >> 8)
#define MARCH_LIMIT_ACTION(result) (((result) & 0xffu) - 1u) /* MARCH_LIMIT_DROP or _MARK */

/* Each unit once. */
#define MARCH_LIMIT_UNITS 3u

MARCH_INLINE const struct march_limit* march_limit_at(march_tables_ref tables, uint32_t line) {
  return (const struct march_limit*)march_line(tables, line);
}

/* Whether a packet of a mapping with this treatment has room in its limits; then it has taken it.
 * `bytes` are the packet's, from its IP header on. */
MARCH_INLINE uint32_t march_limit_admits(march_tables_ref tables, uint64_t treatment,
                                         const struct march_key* key, uint64_t bytes,
                                         uint32_t is_new_flow) {
  const uint32_t line = march_limit_first(tables, treatment);
  if (MARCH_CONFIG.limits.lines == 0 || line == 0) return MARCH_LIMIT_ADMITTED;
  const uint64_t now = march_limit_time();
  uint32_t taken[MARCH_LIMIT_UNITS] = {MARCH_NO_BUCKET, MARCH_NO_BUCKET, MARCH_NO_BUCKET};
  uint32_t result = MARCH_LIMIT_ADMITTED;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_LIMIT_UNITS; ++i) {
    const struct march_limit* limit = march_limit_at(tables, line + i);
    if (!limit) return MARCH_LIMIT_ADMITTED;
    const uint64_t marks = march_limit_cost(limit, bytes, is_new_flow);
    if (marks != 0) {
      taken[i] = march_limit_take(limit, key, marks, now);
      if (taken[i] == MARCH_NO_BUCKET) {
        result = MARCH_LIMIT_EXCEEDED(limit->counter, limit->exceed);
        break;
      }
    }
    if (!limit->more) break;
  }
  if (result == MARCH_LIMIT_ADMITTED) return result;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_LIMIT_UNITS; ++i) {
    const struct march_limit* limit = march_limit_at(tables, line + i);
    if (taken[i] == MARCH_NO_BUCKET || !limit) continue;
    struct march_bucket* bucket = march_bucket_at(taken[i]);
    if (!bucket) continue;
    const uint64_t given =
        __sync_fetch_and_sub(&bucket->used, march_limit_cost(limit, bytes, is_new_flow));
    __asm__ volatile("" : : "r"(given));
  }
  return result;
}

#endif
