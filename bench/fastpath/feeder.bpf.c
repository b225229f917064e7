/* Gives every run of BPF_PROG_TEST_RUN another packet: writes the next one of the trace into the
 * frame and jumps to the program that is measured, which is loaded as it is on a gateway. */
#include "common/bpf.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3

/* In the byte order of the wire. Short, so that the trace takes little of the caches. */
struct bench_packet4 {
  uint32_t source;
  uint32_t destination;
  uint32_t ports;
  uint32_t protocol;
};
struct bench_packet6 {
  uint64_t source[2];
  uint64_t destination[2];
  uint32_t ports;
  uint32_t protocol;
};

struct bench_state {
  uint32_t next;
  uint32_t mask; /* packets in the trace, a power of two, less one */
  uint32_t family;
  uint32_t reserved;
};

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_packet4);
} bench_trace4 SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_packet6);
} bench_trace6 SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_state);
} bench_state SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint32_t);
} bench_program SEC(".maps");

static long (*const bpf_tail_call)(void* context, void* programs, uint32_t index) = (void*)12;

SEC("xdp")
int bench_feed(struct xdp_md* context) {
  const uint32_t zero = 0;
  struct bench_state* state = bpf_map_lookup_elem(&bench_state, &zero);
  if (!state) return XDP_DROP;
  const uint32_t at = state->next & state->mask;
  state->next = at + 1;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (data + 74 > end) return XDP_DROP;
  if (state->family == 4) {
    const struct bench_packet4* packet = bpf_map_lookup_elem(&bench_trace4, &at);
    if (!packet) return XDP_DROP;
    data[23] = (uint8_t)packet->protocol;
    *(uint32_t*)(data + 26) = packet->source;
    *(uint32_t*)(data + 30) = packet->destination;
    *(uint32_t*)(data + 34) = packet->ports;
  } else {
    const struct bench_packet6* packet = bpf_map_lookup_elem(&bench_trace6, &at);
    if (!packet) return XDP_DROP;
    data[20] = (uint8_t)packet->protocol;
    *(uint64_t*)(data + 22) = packet->source[0];
    *(uint64_t*)(data + 30) = packet->source[1];
    *(uint64_t*)(data + 38) = packet->destination[0];
    *(uint64_t*)(data + 46) = packet->destination[1];
    *(uint32_t*)(data + 54) = packet->ports;
  }
  bpf_tail_call(context, &bench_program, 0);
  return XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
