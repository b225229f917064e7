/* Makes SYNs from sources that are not there, with the options that hosts send, and sends them as
 * real frames (BPF_F_TEST_XDP_LIVE_FRAMES) out of an interface. The kernel recycles the pages of
 * frames with whatever their receiver left in them, so every byte is written anew; and it looks at
 * a frame's length anew only if the program has changed it, so each frame begins larger than any.
 */
#include "common/bpf.h"

#include "bench/common/bpf/frame.h"
#include "bench/flood/bpf/syns.h"

#define BENCH_TCP 6

static long (*const bpf_redirect)(uint32_t interface, uint64_t flags) = (void*)23;
static long (*const bpf_xdp_adjust_tail)(struct xdp_md* context, int by) = (void*)65;

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_syns);
} bench_syns SEC(".maps");

/* Sebastiano Vigna's splitmix64. */
MARCH_INLINE uint64_t bench_random(uint64_t number) {
  number *= 0x9e3779b97f4a7c15ull;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9ull;
  number = (number ^ number >> 27) * 0x94d049bb133111ebull;
  return number ^ number >> 31;
}

MARCH_INLINE uint32_t bench_net16(uint32_t value) {
  return (uint16_t)(value << 8 | value >> 8);
}

/* Not later than the rate has it, and not earlier. */
MARCH_INLINE uint32_t bench_is_due(struct bench_syns* syns, uint64_t now) {
  if (syns->interval == 0) return 1;
  if (syns->start == 0) syns->start = now;
  return syns->made * syns->interval <= now - syns->start;
}

/* Without the checksum. Options: segment size, SACK, timestamps, window scale. */
MARCH_INLINE void bench_write_syn(const struct bench_syns* syns, uint64_t random, uint8_t* tcp) {
  *(uint32_t*)tcp = (uint32_t)(random >> 48 | 1024u) | bench_net16(syns->port) << 16;
  *(uint32_t*)(tcp + 4) = (uint32_t)(random >> 8);
  *(uint32_t*)(tcp + 8) = 0;
  *(uint32_t*)(tcp + 12) = BENCH_SYN_BYTES << 2 | 0x02 << 8 | bench_net16(64240) << 16;
  *(uint32_t*)(tcp + 16) = 0;
  *(uint32_t*)(tcp + 20) = __builtin_bswap32(0x020405b4);
  *(uint32_t*)(tcp + 24) = __builtin_bswap32(0x0402080a);
  *(uint32_t*)(tcp + 28) = (uint32_t)random;
  *(uint32_t*)(tcp + 32) = 0;
  *(uint32_t*)(tcp + 36) = __builtin_bswap32(0x01030307);
}

MARCH_INLINE void bench_finish_syn(uint8_t* tcp, uint64_t addresses) {
  const uint64_t pseudo = addresses + (BENCH_TCP << 8) + (BENCH_SYN_BYTES << 8);
  *(uint16_t*)(tcp + 16) = bench_checksum(pseudo + bench_sum(tcp, BENCH_SYN_BYTES));
}

MARCH_INLINE void bench_write_ipv4(const struct bench_syns* syns, uint64_t number, uint64_t random,
                                   uint8_t* ip) {
  const uint32_t source = syns->sources ? (uint32_t)(number % syns->sources)
                                        : (uint32_t)number >> (32 - BENCH_SPOOFED4_BITS);
  *(uint32_t*)ip = 0x45 | bench_net16(20 + BENCH_SYN_BYTES) << 16;
  *(uint32_t*)(ip + 4) = (uint16_t)random;
  *(uint32_t*)(ip + 8) = 64 | BENCH_TCP << 8;
  *(uint32_t*)(ip + 12) = __builtin_bswap32(BENCH_SPOOFED4 + source);
  *(uint32_t*)(ip + 16) = __builtin_bswap32(syns->server4);
  *(uint16_t*)(ip + 10) = bench_checksum(bench_sum(ip, 20));
  bench_write_syn(syns, random, ip + 20);
  bench_finish_syn(ip + 20, bench_sum(ip + 12, 8));
}

MARCH_INLINE void bench_write_ipv6(const struct bench_syns* syns, uint64_t number, uint64_t random,
                                   uint8_t* ip) {
  const uint64_t source =
      syns->sources ? number % syns->sources : number >> (64 - BENCH_SPOOFED6_BITS);
  *(uint32_t*)ip = 0x60;
  *(uint32_t*)(ip + 4) = bench_net16(BENCH_SYN_BYTES) | BENCH_TCP << 16 | 64u << 24;
  *(uint64_t*)(ip + 8) = __builtin_bswap64(BENCH_SPOOFED6 + source);
  *(uint64_t*)(ip + 16) = syns->sources ? __builtin_bswap64(1) : random;
  *(uint64_t*)(ip + 24) = __builtin_bswap64(syns->server6_hi);
  *(uint64_t*)(ip + 32) = __builtin_bswap64(syns->server6_lo);
  bench_write_syn(syns, random, ip + 40);
  bench_finish_syn(ip + 40, bench_sum(ip + 8, 32));
}

SEC("xdp")
int bench_send_syn(struct xdp_md* context) {
  const uint32_t zero = 0;
  struct bench_syns* syns = bpf_map_lookup_elem(&bench_syns, &zero);
  const uint64_t now = bpf_ktime_get_ns();
  if (!syns || !bench_is_due(syns, now)) return XDP_DROP;
  const uint32_t is_v4 = (syns->made & 1) == 0;
  if (bpf_xdp_adjust_tail(context, is_v4 ? -21 : -1) != 0) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (data + BENCH_L4_IN_IPV4 + BENCH_SYN_BYTES > end) return XDP_DROP;
  const uint64_t number = bench_random(syns->seed + syns->made);
  const uint64_t random = bench_random(number);
  __builtin_memcpy(data, syns->destination_mac, 6);
  __builtin_memcpy(data + 6, syns->source_mac, 6);
  if (is_v4) {
    *(uint16_t*)(data + 12) = bench_net16(0x0800);
    bench_write_ipv4(syns, number, random, data + BENCH_IP);
  } else {
    if (data + BENCH_L4_IN_IPV6 + BENCH_SYN_BYTES > end) return XDP_DROP;
    *(uint16_t*)(data + 12) = bench_net16(0x86dd);
    bench_write_ipv6(syns, number, random, data + BENCH_IP);
  }
  syns->made += 1;
  const uint32_t is_odd = now / BENCH_TURN_NANOSECONDS & 1;
  return (int)bpf_redirect(is_odd ? syns->interfaces[1] : syns->interfaces[0], 0);
}

char march_license[] SEC("license") = "GPL";
