/* A reference of ours for the design that the field uses: each address is looked up in a kernel LPM
 * trie, which gives a number; the pair of numbers with protocol and port is looked up in a hash
 * map, first exactly, then for every port. (Cilium's ipcache and policy maps, katran, xdp-filter.)
 * It decides less than the generated programs do: no wildcards but these, no precedence. */
#include "common/bpf.h"

#include "common/packet.h"

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_LPM_TRIE 11
#define BPF_F_NO_PREALLOC 1

struct lpm4 {
  uint32_t length;
  uint32_t address;
};
struct lpm6 {
  uint32_t length;
  uint32_t address[4];
};
struct pair {
  uint32_t source;
  uint32_t destination;
  uint32_t l4;
  uint32_t reserved;
};

#define LPM(name, type_)                          \
  struct {                                        \
    MARCH_MAP_UINT(type, BPF_MAP_TYPE_LPM_TRIE);  \
    MARCH_MAP_UINT(max_entries, 1);               \
    MARCH_MAP_UINT(map_flags, BPF_F_NO_PREALLOC); \
    MARCH_MAP_TYPE(key, struct type_);            \
    MARCH_MAP_TYPE(value, uint32_t);              \
  } name SEC(".maps")

LPM(lpm_source4, lpm4);
LPM(lpm_destination4, lpm4);
LPM(lpm_source6, lpm6);
LPM(lpm_destination6, lpm6);

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_HASH);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, struct pair);
  MARCH_MAP_TYPE(value, uint32_t);
} lpm_pairs SEC(".maps");

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  if (march_read_frame(data, end, &key) != MARCH_JUDGE) return XDP_DROP;
  const uint32_t* source;
  const uint32_t* destination;
  if (key.family == 4) {
    struct lpm4 from = {32, __builtin_bswap32((uint32_t)key.src_lo)};
    struct lpm4 to = {32, __builtin_bswap32((uint32_t)key.dst_lo)};
    source = bpf_map_lookup_elem(&lpm_source4, &from);
    destination = bpf_map_lookup_elem(&lpm_destination4, &to);
  } else {
    struct lpm6 from = {
        128,
        {__builtin_bswap32((uint32_t)(key.src_hi >> 32)), __builtin_bswap32((uint32_t)key.src_hi),
         __builtin_bswap32((uint32_t)(key.src_lo >> 32)), __builtin_bswap32((uint32_t)key.src_lo)}};
    struct lpm6 to = {
        128,
        {__builtin_bswap32((uint32_t)(key.dst_hi >> 32)), __builtin_bswap32((uint32_t)key.dst_hi),
         __builtin_bswap32((uint32_t)(key.dst_lo >> 32)), __builtin_bswap32((uint32_t)key.dst_lo)}};
    source = bpf_map_lookup_elem(&lpm_source6, &from);
    destination = bpf_map_lookup_elem(&lpm_destination6, &to);
  }
  struct pair pair = {source ? *source : 0, destination ? *destination : 0, key.l4, 0};
  const uint32_t* verdict = bpf_map_lookup_elem(&lpm_pairs, &pair);
  if (!verdict) {
    pair.l4 = 0;
    verdict = bpf_map_lookup_elem(&lpm_pairs, &pair);
  }
  return verdict && *verdict ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
