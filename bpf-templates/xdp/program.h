/* The XDP program: read the frame, judge it by the tables, count it (bundle/abi/verdict.h).
 * Included at the end of a generated program, which has defined `march_policy_shape`. */
#ifndef MARCH_BPF_TEMPLATES_XDP_PROGRAM_H
#define MARCH_BPF_TEMPLATES_XDP_PROGRAM_H

#include "common/bpf.h"

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "common/packet.h"

/* Sized and filled by the loader before the program is loaded; never written afterwards. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_tables SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_counter);
} march_counters SEC(".maps");

typedef void* march_tables_ref;

MARCH_INLINE uint64_t march_word(march_tables_ref tables, uint32_t index) {
  const uint64_t* word = bpf_map_lookup_elem(tables, &index);
  return word ? *word : 0;
}

#include "common/walk.h"

MARCH_INLINE void march_count(uint32_t slot, uint64_t bytes) {
  struct march_counter* counter = bpf_map_lookup_elem(&march_counters, &slot);
  if (counter) {
    counter->packets += 1;
    counter->bytes += bytes;
  }
}

SEC("xdp")
int march_xdp(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  uint32_t slot = march_read_frame(data, end, &key);
  uint32_t action = MARCH_ACTION_DENY;
  if (slot == MARCH_JUDGE) {
    uint32_t audit;
    const uint32_t verdict = march_classify(&march_tables, &march_policy_shape, &key, &audit);
    if (audit != 0) march_count(audit, (uint64_t)(end - data));
    slot = MARCH_VERDICT_SLOT(verdict);
    action = MARCH_VERDICT_ACTION(verdict);
  } else if (slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR) {
    action = MARCH_ACTION_ALLOW;
  }
  march_count(slot, (uint64_t)(end - data));
  return action == MARCH_ACTION_ALLOW ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";

#endif
