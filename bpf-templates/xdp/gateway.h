/* What a gateway gives to the program that it loads: its configuration, and where it counts what is
 * no packet (bundle/abi/config.h). */
#ifndef MARCH_BPF_TEMPLATES_XDP_GATEWAY_H
#define MARCH_BPF_TEMPLATES_XDP_GATEWAY_H

#include "common/bpf.h"

#include "bundle/abi/config.h"

#ifdef MARCH_PART
extern const volatile struct march_config march_config;
#else
const volatile struct march_config march_config SEC(MARCH_CONFIG_SECTION) = {0};
#endif

#define MARCH_CONFIG march_config

/* marchd's: it outlives the program. */
MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_STATISTICS);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_statistics MARCH_MAPS;

MARCH_INLINE void march_statistic(uint32_t which) {
  uint64_t* count = bpf_map_lookup_elem(&march_statistics, &which);
  if (count) *count += 1;
}

MARCH_INLINE uint32_t march_tick(void) {
  return (uint32_t)(bpf_ktime_get_coarse_ns() >> MARCH_TICK_SHIFT);
}

#endif
