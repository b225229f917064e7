/* A reference of ours for the linear bit vector (Lakshman and Stiliadis, 1998; in eBPF:
 * bpf-iptables, Miano et al., 2019): for each field, a look-up gives a vector with a bit for every
 * rule that the field's value matches, in order of precedence; the first bit that is set in all of
 * them is the rule. Exact for any rules; its work and its memory grow with their number. The port's
 * vector says of the protocol too. It does not count packets and knows no fragments. */
#include "bench/fastpath/bpf/lpm_maps.h"

struct bench_vector {
  uint64_t words[BENCH_WORDS];
};

BENCH_LPM(vector_source4, bench_lpm4, struct bench_vector);
BENCH_LPM(vector_destination4, bench_lpm4, struct bench_vector);
BENCH_LPM(vector_source6, bench_lpm6, struct bench_vector);
BENCH_LPM(vector_destination6, bench_lpm6, struct bench_vector);

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_vector);
} vector_port SEC(".maps");

/* Bit i: rule i allows. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_vector);
} vector_allowed SEC(".maps");

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  if (march_read_frame(data, end, &key) != MARCH_JUDGE) return XDP_DROP;
  const struct bench_vector* source;
  const struct bench_vector* destination;
  if (key.family == 4) {
    const struct bench_lpm4 from = bench_host4(key.src_lo);
    const struct bench_lpm4 to = bench_host4(key.dst_lo);
    source = bpf_map_lookup_elem(&vector_source4, &from);
    destination = bpf_map_lookup_elem(&vector_destination4, &to);
  } else {
    const struct bench_lpm6 from = bench_host6(key.src_hi, key.src_lo);
    const struct bench_lpm6 to = bench_host6(key.dst_hi, key.dst_lo);
    source = bpf_map_lookup_elem(&vector_source6, &from);
    destination = bpf_map_lookup_elem(&vector_destination6, &to);
  }
  if (!source || !destination) return XDP_DROP;
  const uint32_t class = bench_port_class(&key);
  const struct bench_vector* port = bpf_map_lookup_elem(&vector_port, &class);
  const uint32_t zero = 0;
  const struct bench_vector* allowed = bpf_map_lookup_elem(&vector_allowed, &zero);
  if (!port || !allowed) return XDP_DROP;
  for (uint32_t i = 0; i < BENCH_WORDS; ++i) {
    const uint64_t word = source->words[i] & destination->words[i] & port->words[i];
    if (word == 0) continue;
    const uint64_t first = word & (~word + 1);
    return (allowed->words[i] & first) != 0 ? XDP_PASS : XDP_DROP;
  }
  return XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
