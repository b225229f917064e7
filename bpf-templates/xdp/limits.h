/* Limits in the XDP program: which packets are above what their mapping, or the gateway, lets pass
 * (common/limit.h). Those of mappings are compiled in when the policy has a limit (MARCH_LIMITS);
 * in force when the gateway has room for their buckets (march_config.limits). The map is marchd's,
 * see connections.h. */
#ifndef MARCH_BPF_TEMPLATES_XDP_LIMITS_H
#define MARCH_BPF_TEMPLATES_XDP_LIMITS_H

#include "common/bpf.h"

#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"
#include "xdp/gateway.h"

MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_bucket_line);
} march_limit_buckets MARCH_MAPS;

MARCH_INLINE struct march_bucket_line* march_limit_line(uint32_t number) {
  return bpf_map_lookup_elem(&march_limit_buckets, &number);
}

#define march_limit_time() bpf_ktime_get_coarse_ns()
#define march_limit_precise_time() bpf_ktime_get_ns()
#define march_limit_statistic(which) march_statistic(which)

#include "common/limit.h"

MARCH_INLINE uint32_t march_keeps_limits(void) {
  return march_config.limits.lines != 0;
}

#if MARCH_LIMITS
#include "common/admit.h"
#include "common/lower_effort.h"

/* What becomes of a packet whose mapping has this treatment: MARCH_LIMIT_ADMITTED or _EXCEEDED.
 * What is to be marked has been. */
MARCH_APART int march_limit_packet(struct xdp_md* context, const struct march_key* key,
                                   uint32_t treatment, uint32_t is_new_flow) {
  if (!march_keeps_limits() || !context || !key) return MARCH_LIMIT_ADMITTED;
  const march_tables_ref tables = march_find_tables();
  uint8_t* end = (uint8_t*)(uint64_t)context->data_end;
  uint8_t* ip = march_ip_of((uint8_t*)(uint64_t)context->data, end);
  if (!tables || !ip) return MARCH_LIMIT_ADMITTED;
  const uint64_t bytes = key->family == 4 ? march_be16(ip + 2) : march_be16(ip + 4) + 40u;
  const uint32_t result = march_limit_admits(tables, treatment, key, bytes, is_new_flow);
  if (result != MARCH_LIMIT_ADMITTED && MARCH_LIMIT_ACTION(result) == MARCH_LIMIT_MARK) {
    march_set_lower_effort(ip);
  }
  return (int)result;
}
#endif

MARCH_INLINE uint32_t march_has_rate(uint32_t which) {
  return march_config.abuse.rates[which].rate != 0;
}

/* Whether a source sends more than the gateway lets it (enum march_rate). xdp/limits.c */
MARCH_APART int march_source_exceeds(uint32_t which, uint32_t family, uint64_t hi, uint64_t lo);

#endif
