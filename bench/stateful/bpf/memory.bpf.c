/* Control: reads the packet as the floor does, then touches the memory that keeping a connection
 * takes, where it would be: a line of words among BENCH_LINES, and the first line of a record, in
 * which it counts. Neither waits for the other, nothing is compared, nothing is searched: it is
 * what memory alone costs. */
#include "common/bpf.h"

#include "common/packet.h"

struct bench_line {
  uint64_t words[8];
};
struct bench_record {
  uint64_t flow;
  uint64_t packets;
  uint64_t rest[14];
};

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, BENCH_LINES);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_line);
} bench_lines SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, BENCH_LINES * 8);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_record);
} bench_records SEC(".maps");

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  const uint32_t slot = march_read_frame(data, end, &key);
  uint64_t hash = key.src_hi ^ key.src_lo * 0x9e3779b97f4a7c15ull ^ key.dst_hi ^
                  key.dst_lo * 0xc2b2ae3d27d4eb4full ^ key.l4 ^ ((uint64_t)key.source_port << 40);
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 32;
  hash *= 0xff51afd7ed558ccdull;
  const uint32_t at = (uint32_t)((hash >> 32) * BENCH_LINES >> 32);
  const struct bench_line* line = bpf_map_lookup_elem(&bench_lines, &at);
  if (!line) return XDP_DROP;
  const uint32_t lane = (uint32_t)hash & 7;
  const uint32_t number = at * 8 + lane;
  struct bench_record* record = bpf_map_lookup_elem(&bench_records, &number);
  if (!record) return XDP_DROP;
  record->packets += 1;
  return (record->flow | line->words[lane]) == slot ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
