/* Sends witnesses (bundle/abi/witness.h) through a generated program, one with each run of
 * BPF_PROG_TEST_RUN, and looks after each at what the program returned and which counter moved. The
 * program is the one that a gateway loads, as it is: it is entered by a tail call out of a
 * function, so it comes back here. */
#ifndef MARCH_BPF_TEMPLATES_PROVE_FEEDER_H
#define MARCH_BPF_TEMPLATES_PROVE_FEEDER_H

#include "common/bpf.h"

#include "bundle/abi/counters.h"
#include "bundle/abi/verdict.h"
#include "bundle/abi/witness.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3

static long (*const bpf_tail_call)(void* context, void* programs, uint32_t index) = (void*)12;

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_witness);
} march_witnesses SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_witness_state);
} march_state SEC(".maps");

/* The program's own. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_counters SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint32_t);
} march_program SEC(".maps");

/* What the program returns. The compiler must not believe that it is always 0. */
__attribute__((noinline)) static uint32_t march_judge(struct xdp_md* context) {
  uint32_t action = 0;
  MARCH_OPAQUE(action);
  bpf_tail_call(context, &march_program, 0);
  return action;
}

/* Offsets are those of a frame without VLAN tags, options and extension headers, but a fragment
 * header for later fragments of IPv6. */
MARCH_INLINE void march_write4(uint8_t* frame, const struct march_witness* witness) {
  *(uint16_t*)(frame + 20) = witness->later_fragment ? __builtin_bswap16(185) : 0;
  frame[23] = witness->protocol;
  *(uint32_t*)(frame + 26) = (uint32_t)witness->source[0];
  *(uint32_t*)(frame + 30) = (uint32_t)witness->destination[0];
  *(uint32_t*)(frame + 34) = witness->ports;
}

MARCH_INLINE void march_write6(uint8_t* frame, const struct march_witness* witness) {
  *(uint64_t*)(frame + 22) = witness->source[0];
  *(uint64_t*)(frame + 30) = witness->source[1];
  *(uint64_t*)(frame + 38) = witness->destination[0];
  *(uint64_t*)(frame + 46) = witness->destination[1];
  if (witness->later_fragment) {
    frame[20] = 44;
    *(uint16_t*)(frame + 54) = witness->protocol;
    *(uint16_t*)(frame + 56) = __builtin_bswap16(185 << 3);
    *(uint32_t*)(frame + 58) = 1;
  } else {
    frame[20] = witness->protocol;
    *(uint32_t*)(frame + 54) = witness->ports;
  }
}

SEC("xdp")
int march_feed(struct xdp_md* context) {
  const uint32_t zero = 0;
  struct march_witness_state* state = bpf_map_lookup_elem(&march_state, &zero);
  if (!state) return 0;
  const uint32_t at = state->next;
  if (at >= state->count) return 0;
  state->next = at + 1;
  const struct march_witness* witness = bpf_map_lookup_elem(&march_witnesses, &at);
  if (!witness) return 0;
  uint8_t* frame = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (frame + MARCH_WITNESS_FRAME > end) return 0;
  if (witness->family == 4) {
    march_write4(frame, witness);
  } else {
    march_write6(frame, witness);
  }
  const uint32_t block = bpf_get_smp_processor_id() * state->room;
  const uint32_t place = block + witness->slot;
  const uint32_t audit_place = witness->audit ? block + witness->audit : place;
  const volatile uint64_t* counter = bpf_map_lookup_elem(&march_counters, &place);
  const volatile uint64_t* audit = bpf_map_lookup_elem(&march_counters, &audit_place);
  if (!counter || !audit) return 0;
  const uint64_t counted = *counter;
  const uint64_t audited = *audit;
  const uint32_t action = march_judge(context);
  state->judged += 1;
  if (action != (witness->action == MARCH_ACTION_ALLOW ? XDP_PASS : XDP_DROP) ||
      march_word_moved(counted, *counter) != 1 || march_word_moved(audited, *audit) != 1) {
    const uint32_t misses = state->misses;
    if (misses < MARCH_WITNESS_MISSES) state->miss[misses] = at;
    state->misses = misses + 1;
  }
  return (int)action;
}

char march_license[] SEC("license") = "GPL";

#endif
