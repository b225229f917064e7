/* The XDP program: read the frame, judge it by the tables, count it (bundle/abi/verdict.h).
 * Included at the end of a generated program, which has defined `march_policy_shape`, MARCH_LINES
 * and MARCH_SLOTS. */
#ifndef MARCH_BPF_TEMPLATES_XDP_PROGRAM_H
#define MARCH_BPF_TEMPLATES_XDP_PROGRAM_H

#include "common/bpf.h"

#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "common/packet.h"

/* All lines, with room up to a round number of them, so that a change of policy seldom changes the
 * program. One value, so that one look-up gives an address that all others are counted from. */
struct march_lines {
  uint64_t words[(uint64_t)MARCH_LINES * MARCH_LINE_WORDS];
};

/* Filled by the loader, then frozen. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_lines);
} march_tables SEC(".maps");

/* The loader makes it as many times as large as there are CPUs: bundle/abi/verdict.h. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_COUNTER_BLOCK(MARCH_SLOTS));
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_counters SEC(".maps");

typedef const struct march_lines* march_tables_ref;

MARCH_INLINE const uint64_t* march_line(march_tables_ref tables, uint32_t index) {
  /* Compared as it is used, or the verifier cannot tell that the address is inside. */
  MARCH_OPAQUE(index);
  if (index >= MARCH_LINES) return 0;
  return tables->words + (uint64_t)index * MARCH_LINE_WORDS;
}

MARCH_INLINE march_tables_ref march_find_tables(void) {
  const uint32_t zero = 0;
  return bpf_map_lookup_elem(&march_tables, &zero);
}

#include "common/leaf.h"

/* A function of its own to the verifier too, which looks at it once. */
__attribute__((noinline)) int march_weigh_out_of_line(struct march_weighing* w) {
  const march_tables_ref tables = march_find_tables();
  if (w && tables) march_weigh_leaf(tables, &march_policy_shape, w);
  return 0;
}

#define march_weigh_any(tables, shape, w) march_weigh_out_of_line(w)

#include "common/walk.h"

/* This CPU's. `at` is below the entries of a block. */
MARCH_INLINE uint64_t* march_counter_entry(uint32_t at) {
  const uint32_t place = bpf_get_smp_processor_id() * MARCH_COUNTER_BLOCK(MARCH_SLOTS) + at;
  return bpf_map_lookup_elem(&march_counters, &place);
}

/* Once in 2^21 packets of a slot, so it is out of the way of the others. */
__attribute__((noinline)) int march_spill_out_of_line(uint32_t slot, uint64_t full) {
  if (slot >= MARCH_SLOTS) return 0;
  uint64_t* word = march_counter_entry(slot);
  uint64_t* packets = march_counter_entry(MARCH_COUNTER_WIDE(MARCH_SLOTS, slot));
  uint64_t* bytes = march_counter_entry(MARCH_COUNTER_WIDE(MARCH_SLOTS, slot) + 1);
  if (word && packets && bytes) march_word_spill(word, packets, bytes, full);
  return 0;
}

MARCH_INLINE void march_count(uint32_t slot, uint64_t bytes) {
  if (slot >= MARCH_SLOTS) return;
  uint64_t* word = march_counter_entry(slot);
  if (!word) return;
  const uint64_t before = *word;
  const uint64_t next = march_word_add(before, bytes);
  if (__builtin_expect(march_word_is_full(before, next), 0)) {
    march_spill_out_of_line(slot, next);
  } else {
    *word = next;
  }
}

SEC("xdp")
int march_xdp(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  uint64_t bytes = (uint64_t)(end - data);
  MARCH_OPAQUE(bytes);
  uint32_t slot = march_read_frame(data, end, &key);
  uint32_t action = MARCH_ACTION_DENY;
  if (slot == MARCH_JUDGE) {
    const march_tables_ref tables = march_find_tables();
    if (!tables) return XDP_DROP;
    /* What the headers were is the same to the verifier from here on: or it would follow the whole
     * walk again for each way in which they can be read. */
    key.l4 = MARCH_FORGET(key.l4, bytes);
    key.source_port = MARCH_FORGET(key.source_port, bytes);
    uint32_t audit;
    const uint32_t verdict = march_classify(tables, &march_policy_shape, &key, &audit);
    if (audit != 0) march_count(audit, bytes);
    slot = MARCH_VERDICT_SLOT(verdict);
    action = MARCH_VERDICT_ACTION(verdict);
  } else if (slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR) {
    action = MARCH_ACTION_ALLOW;
  }
  march_count(slot, bytes);
  return action == MARCH_ACTION_ALLOW ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";

#endif
