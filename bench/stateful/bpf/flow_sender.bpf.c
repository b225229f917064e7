/* Sends packets of flows as real frames (BPF_F_TEST_XDP_LIVE_FRAMES) out of an interface. The
 * kernel recycles the pages of frames with whatever their receiver left in them, so checksums are
 * written anew too. */
#include "bench/stateful/bpf/flows.h"

static long (*const bpf_redirect)(uint32_t interface, uint64_t flags) = (void*)23;

MARCH_INLINE void bench_finish_l4(uint32_t protocol, uint8_t* l4, uint64_t addresses) {
  const uint64_t sum = addresses + bench_pseudo(protocol) + bench_sum(l4, BENCH_L4_BYTES);
  *(uint16_t*)(l4 + (protocol == BENCH_UDP ? 6 : 16)) = bench_checksum(sum);
}

SEC("xdp")
int bench_send(struct xdp_md* context) {
  const uint32_t zero = 0;
  struct bench_flows* flows = bpf_map_lookup_elem(&bench_flows, &zero);
  if (!flows) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (!bench_write_flow(flows, data, end)) return XDP_DROP;
  if (data + BENCH_L4_IN_IPV4 + BENCH_L4_BYTES > end) return XDP_DROP;
  uint8_t* ip = data + BENCH_IP;
  if (flows->family == 4) {
    *(uint16_t*)(ip + 10) = 0;
    *(uint16_t*)(ip + 10) = bench_checksum(bench_sum(ip, 20));
    bench_finish_l4(flows->protocol, data + BENCH_L4_IN_IPV4, bench_sum(ip + 12, 8));
  } else {
    if (data + BENCH_L4_IN_IPV6 + BENCH_L4_BYTES > end) return XDP_DROP;
    bench_finish_l4(flows->protocol, data + BENCH_L4_IN_IPV6, bench_sum(ip + 8, 32));
  }
  return (int)bpf_redirect(flows->interface, 0);
}

char march_license[] SEC("license") = "GPL";
