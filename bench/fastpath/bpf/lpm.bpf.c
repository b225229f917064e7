/* A reference of ours for the design that the field uses: each address is looked up in a kernel LPM
 * trie, which gives a number; the pair of numbers with a class of protocol and port is looked up in
 * a hash map. (Cilium's ipcache and policy maps, katran, xdp-filter.)
 *
 * A hash map knows neither nested prefixes nor wildcards nor precedence. Who fills it works them
 * out: a rule on a prefix gets an entry for every prefix inside, and the first rule in precedence
 * wins. In the mesh style that is little more than an entry a rule; in the others, one rule may
 * need an entry for every prefix there is. It does not count packets and knows no fragments. */
#include "bench/fastpath/bpf/lpm_maps.h"

BENCH_LPM(lpm_source4, bench_lpm4, uint32_t);
BENCH_LPM(lpm_destination4, bench_lpm4, uint32_t);
BENCH_LPM(lpm_source6, bench_lpm6, uint32_t);
BENCH_LPM(lpm_destination6, bench_lpm6, uint32_t);

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_HASH);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, struct bench_pair);
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
    const struct bench_lpm4 from = bench_host4(key.src_lo);
    const struct bench_lpm4 to = bench_host4(key.dst_lo);
    source = bpf_map_lookup_elem(&lpm_source4, &from);
    destination = bpf_map_lookup_elem(&lpm_destination4, &to);
  } else {
    const struct bench_lpm6 from = bench_host6(key.src_hi, key.src_lo);
    const struct bench_lpm6 to = bench_host6(key.dst_hi, key.dst_lo);
    source = bpf_map_lookup_elem(&lpm_source6, &from);
    destination = bpf_map_lookup_elem(&lpm_destination6, &to);
  }
  if (!source || !destination) return XDP_DROP;
  const struct bench_pair pair = {*source, *destination, bench_port_class(&key), 0};
  const uint32_t* allowed = bpf_map_lookup_elem(&lpm_pairs, &pair);
  return allowed && *allowed ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
