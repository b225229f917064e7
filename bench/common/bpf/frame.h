/* Where the headers of a benchmark's frame lie, and checksums. Shared by the BPF programs that fill
 * frames in and by who makes them. */
#ifndef MARCH_BENCH_COMMON_BPF_FRAME_H
#define MARCH_BENCH_COMMON_BPF_FRAME_H

#include "bundle/abi/types.h"

/* No VLAN tags, no IP options. */
#define BENCH_IP 14
#define BENCH_L4_IN_IPV4 34
#define BENCH_L4_IN_IPV6 54
#define BENCH_L4_BYTES 20

#ifdef __bpf__

#include "common/bpf.h"

MARCH_INLINE uint64_t bench_sum(const uint8_t* at, uint32_t bytes) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < bytes; i += 4) sum += *(const uint32_t*)(at + i);
  return sum;
}

/* RFC 1071; the sum of 32-bit words folds to that of 16-bit words, in either byte order. */
MARCH_INLINE uint16_t bench_checksum(uint64_t sum) {
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

/* The part of TCP's and UDP's pseudo-header that is not addresses, as bench_sum counts. */
MARCH_INLINE uint64_t bench_pseudo(uint32_t protocol) {
  return (protocol << 8) + (BENCH_L4_BYTES << 8);
}

#endif
#endif
