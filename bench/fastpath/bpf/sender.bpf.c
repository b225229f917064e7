/* Sends the packets of the trace as real frames (BPF_F_TEST_XDP_LIVE_FRAMES) out of an interface.
 *
 * The kernel recycles the pages of frames with whatever their receiver left in them, so all that a
 * stack may change is written anew: MAC addresses, hop limit, checksums. */
#include "bench/fastpath/bpf/trace.h"

static long (*const bpf_redirect)(uint32_t interface, uint64_t flags) = (void*)23;

/* One text that is a valid TCP header and a valid UDP header with 12 bytes of payload: its bytes 6
 * and 7 are UDP's checksum, a constant, and part of TCP's sequence number; bytes 16 and 17 are
 * TCP's checksum and part of UDP's payload, and make either sum come out. */
MARCH_INLINE void bench_finish_l4(uint8_t* l4, uint64_t pseudo_header) {
  *(uint32_t*)(l4 + 4) = 0x34121400; /* UDP: length 20 */
  *(uint32_t*)(l4 + 8) = 0;
  *(uint32_t*)(l4 + 12) = 0x00100250; /* TCP: 20 bytes of header, SYN */
  *(uint32_t*)(l4 + 16) = 0;
  *(uint16_t*)(l4 + 16) = bench_checksum(pseudo_header + bench_sum(l4, BENCH_L4_BYTES));
}

SEC("xdp")
int bench_send(struct xdp_md* context) {
  const uint32_t zero = 0;
  struct bench_state* state = bpf_map_lookup_elem(&bench_state, &zero);
  if (!state) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (!bench_write_next(state, data, end)) return XDP_DROP;
  if (data + BENCH_L4_IN_IPV4 + BENCH_L4_BYTES > end) return XDP_DROP;
  __builtin_memcpy(data, state->destination_mac, 6);
  __builtin_memcpy(data + 6, state->source_mac, 6);
  uint8_t* ip = data + BENCH_IP;
  if (state->family == 4) {
    ip[8] = 64;
    *(uint16_t*)(ip + 10) = 0;
    *(uint16_t*)(ip + 10) = bench_checksum(bench_sum(ip, 20));
    bench_finish_l4(data + BENCH_L4_IN_IPV4, bench_sum(ip + 12, 8) + bench_pseudo(ip[9]));
  } else {
    if (data + BENCH_L4_IN_IPV6 + BENCH_L4_BYTES > end) return XDP_DROP;
    ip[7] = 64;
    bench_finish_l4(data + BENCH_L4_IN_IPV6, bench_sum(ip + 8, 32) + bench_pseudo(ip[6]));
  }
  return (int)bpf_redirect(state->interface, 0);
}

char march_license[] SEC("license") = "GPL";
