/* xdp/cookie.h */
#include "xdp/part.h"

#include "xdp/cookie.h"

#include "bundle/abi/abuse.h"
#include "common/packet.h"
#include "xdp/answer.h"
#include "xdp/limits.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_real_line);
} march_real_sources SEC(".maps");

MARCH_INLINE struct march_real_line* march_real_line_at(uint32_t line) {
  return bpf_map_lookup_elem(&march_real_sources, &line);
}

#include "common/cookie.h"

MARCH_INLINE uint32_t march_minute(void) {
  return (uint32_t)(bpf_ktime_get_coarse_ns() >> MARCH_MINUTE_SHIFT);
}

/* What a segment acknowledges. */
MARCH_INLINE uint32_t march_acknowledged(struct xdp_md* context, uint32_t l4_at) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint8_t* tcp = data + (l4_at & MARCH_MAX_L4_AT);
  return tcp + 20 <= end ? march_be32(tcp + 8) : 0;
}

MARCH_INLINE uint32_t march_unproven_may_begin(const struct march_key* key) {
  if (march_config.abuse.cookies.unproven.rate == 0) return 0;
  /* As in march_source_exceeds. */
  const struct march_limit* limit = (const struct march_limit*)&march_config.abuse.cookies.unproven;
  MARCH_OPAQUE(limit);
  return march_limit_take(limit, key, 1ull << (limit->shift & 63), march_limit_time()) !=
         MARCH_NO_BUCKET;
}

MARCH_APART int march_must_prove(struct xdp_md* context, const struct march_key* key) {
  if (!march_gives_cookies() || !march_keeps_limits() || !context || !key) return 0;
  const uint64_t mark = march_source_mark(key);
  const uint32_t now = march_tick();
  const uint32_t left = march_source_is_real(mark, now);
  const uint32_t flags = key->detail & (MARCH_TCP_SYN | MARCH_TCP_ACK);
  if (flags == MARCH_TCP_SYN) {
    if (left == 0) return !march_unproven_may_begin(key);
    if (left < march_config.abuse.cookies.remember / 2) march_remember_source(mark, now);
    return 0;
  }
  if (left != 0 || flags != MARCH_TCP_ACK) return 0;
  const uint32_t cookie = march_acknowledged(context, key->l4_at) - 1;
  if (!march_is_cookie(key, cookie, march_minute())) return 0;
  march_remember_source(mark, now);
  return 1;
}

MARCH_APART int march_take_for_real(uint32_t family, uint64_t hi, uint64_t lo) {
  if (!march_gives_cookies()) return 0;
  struct march_key key = {0};
  key.family = family;
  key.src_hi = hi;
  key.src_lo = lo;
  march_remember_source(march_source_mark(&key), march_tick());
  return 0;
}

MARCH_APART int march_answer_cookie(struct xdp_md* context, const struct march_key* key) {
  if (!march_gives_cookies() || !context || !key) return XDP_DROP;
  const struct march_interface* in = march_find_interface(context->ingress_ifindex);
  struct march_answer answer = {0};
  if (!in || !march_read_rejected(context, in, key->l4_at, &answer)) {
    march_statistic(MARCH_STATISTIC_ANSWER_NONE);
    return XDP_DROP;
  }
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint8_t* tcp = data + (key->l4_at & MARCH_MAX_L4_AT);
  if (tcp + 20 > end) return XDP_DROP;
  struct march_segment segment = march_reset_of(tcp, key->l4_bytes);
  if ((key->detail & MARCH_TCP_SYN) != 0) {
    segment.sequence = march_cookie_of(key, march_minute());
    segment.acknowledgement = march_be32(tcp + 4) + 1;
    segment.flags = MARCH_TCP_SYN | MARCH_TCP_ACK;
    march_statistic(MARCH_STATISTIC_COOKIES_SENT);
  } else {
    march_statistic(MARCH_STATISTIC_COOKIES_RETURNED);
  }
  return march_send_back(
      in, march_answer_segment(context, answer.ip_at, answer.type, key->l4_at, segment));
}
