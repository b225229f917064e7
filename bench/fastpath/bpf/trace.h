/* The packets of a trace as the kernel holds them, and how one becomes the headers of a frame.
 * Shared by the BPF programs that send packets and by who fills the trace. */
#ifndef MARCH_BENCH_FASTPATH_BPF_TRACE_H
#define MARCH_BENCH_FASTPATH_BPF_TRACE_H

#include "bench/common/bpf/frame.h"
#include "bundle/abi/types.h"

/* In the byte order of the wire. Short, so that the trace takes little of the caches. */
struct bench_packet4 {
  uint32_t source;
  uint32_t destination;
  uint32_t ports;
  uint32_t protocol; /* the lowest byte */
};
struct bench_packet6 {
  uint64_t source[2];
  uint64_t destination[2];
  uint32_t ports;
  uint32_t protocol;
};

struct bench_state {
  uint64_t next; /* packets so far */
  uint32_t mask; /* packets in the trace, a power of two, less one */
  uint32_t family;
  uint32_t interface; /* that frames leave from */
  uint8_t destination_mac[6];
  uint8_t source_mac[6];
};

#ifdef __bpf__

#include "common/bpf.h"

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

/* Writes addresses, protocol and ports of the next packet into a frame that has all other headers.
 * 0: the frame is too short, or there is no trace. */
MARCH_INLINE uint32_t bench_write_next(struct bench_state* state, uint8_t* data,
                                       const uint8_t* end) {
  const uint32_t at = (uint32_t)state->next & state->mask;
  state->next += 1;
  if (state->family == 4) {
    const struct bench_packet4* packet = bpf_map_lookup_elem(&bench_trace4, &at);
    if (!packet || data + BENCH_L4_IN_IPV4 + BENCH_L4_BYTES > end) return 0;
    data[BENCH_IP + 9] = (uint8_t)packet->protocol;
    *(uint32_t*)(data + BENCH_IP + 12) = packet->source;
    *(uint32_t*)(data + BENCH_IP + 16) = packet->destination;
    *(uint32_t*)(data + BENCH_L4_IN_IPV4) = packet->ports;
  } else {
    const struct bench_packet6* packet = bpf_map_lookup_elem(&bench_trace6, &at);
    if (!packet || data + BENCH_L4_IN_IPV6 + BENCH_L4_BYTES > end) return 0;
    data[BENCH_IP + 6] = (uint8_t)packet->protocol;
    *(uint64_t*)(data + BENCH_IP + 8) = packet->source[0];
    *(uint64_t*)(data + BENCH_IP + 16) = packet->source[1];
    *(uint64_t*)(data + BENCH_IP + 24) = packet->destination[0];
    *(uint64_t*)(data + BENCH_IP + 32) = packet->destination[1];
    *(uint32_t*)(data + BENCH_L4_IN_IPV6) = packet->ports;
  }
  return 1;
}

#endif
#endif
