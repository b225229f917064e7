/* Gives every run of BPF_PROG_TEST_RUN a packet of another flow, then jumps to the program that is
 * measured, which is loaded as it is on a gateway. */
#include "bench/stateful/bpf/flows.h"

#define BPF_MAP_TYPE_PROG_ARRAY 3

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
  struct bench_flows* flows = bpf_map_lookup_elem(&bench_flows, &zero);
  if (!flows) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (!bench_write_flow(flows, data, end)) return XDP_DROP;
  bpf_tail_call(context, &bench_program, 0);
  return XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
