/* Where a flood of SYNs goes to, and how fast. Shared by the program that makes it and by who tells
 * it. */
#ifndef MARCH_BENCH_FLOOD_BPF_SYNS_H
#define MARCH_BENCH_FLOOD_BPF_SYNS_H

#include "bundle/abi/types.h"

/* Sources are of 64.0.0.0/3 and 2001:db8:8000::/33: IPv4 and IPv6 by turns. */
#define BENCH_SPOOFED4 0x40000000u
#define BENCH_SPOOFED6 0x20010db880000000ull
#define BENCH_SPOOFED4_BITS 29
#define BENCH_SPOOFED6_BITS 31 /* of the upper half */

/* A flood can go out by two interfaces by turns, and a client counts by turns: odd ones and even
 * ones, of CLOCK_MONOTONIC. So what is compared is never far apart in time. */
#define BENCH_TURN_NANOSECONDS 250000000ull

/* A SYN with its options. */
#define BENCH_SYN_BYTES 40

struct bench_syns {
  uint64_t made;     /* frames so far */
  uint64_t seed;     /* what all that is random follows from */
  uint64_t interval; /* nanoseconds between two frames; 0: none */
  uint64_t start;    /* of the first one */
  uint64_t server6_hi;
  uint64_t server6_lo;
  uint32_t server4;
  uint32_t port;
  uint32_t sources;       /* of either family; 0: as many as there are */
  uint32_t interfaces[2]; /* that frames leave from in even and odd turns */
  uint8_t destination_mac[6];
  uint8_t source_mac[6];
};

#endif
