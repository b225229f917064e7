/* Controls: reads the packet as the floor does, then looks up one entry in a map, at a place that
 * is as good as random for changing packets: what a single look at memory of that size costs. */
#include "common/bpf.h"

#include "common/packet.h"

#define BPF_MAP_TYPE_HASH 1

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} lookup_array SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_HASH);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} lookup_hash SEC(".maps");

/* Below BENCH_ENTRIES, a power of two. */
MARCH_INLINE uint32_t bench_place(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  const uint32_t slot = march_read_frame(data, end, &key);
  uint64_t mixed = key.src_hi ^ key.src_lo * 0x9e3779b97f4a7c15ull ^ key.dst_hi ^
                   key.dst_lo * 0xc2b2ae3d27d4eb4full ^ key.l4 ^ ((uint64_t)key.source_port << 40);
  mixed *= 0xff51afd7ed558ccdull;
  return (uint32_t)((mixed >> 32) ^ slot) & (BENCH_ENTRIES - 1);
}

SEC("xdp")
int bench_array(struct xdp_md* context) {
  const uint32_t place = bench_place(context);
  const uint64_t* value = bpf_map_lookup_elem(&lookup_array, &place);
  return value && *value == 0x1234567890abcdefull ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int bench_hash(struct xdp_md* context) {
  const uint32_t place = bench_place(context);
  const uint64_t* value = bpf_map_lookup_elem(&lookup_hash, &place);
  return value && *value == 0x1234567890abcdefull ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
