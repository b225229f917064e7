/* xdp/limits.h */
#include "xdp/part.h"

#include "xdp/limits.h"

MARCH_APART int march_source_exceeds(uint32_t which, uint32_t family, uint64_t hi, uint64_t lo) {
  if (!march_keeps_limits() || which >= MARCH_RATES) return 0;
  /* The compiler must not see that it is read only, and zero for all that it knows. */
  const struct march_limit* limit = (const struct march_limit*)&march_config.abuse.rates[which];
  MARCH_OPAQUE(limit);
  struct march_key key = {0};
  key.family = family;
  key.src_hi = hi;
  key.src_lo = lo;
  const uint64_t marks = 1ull << (limit->shift & 63);
  return march_limit_take(limit, &key, marks, march_limit_time()) == MARCH_NO_BUCKET;
}
