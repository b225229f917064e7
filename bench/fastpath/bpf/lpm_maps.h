/* Keys of LPM tries and the classes of ports, as the references have them. Addresses are in the
 * byte order of the wire. */
#ifndef MARCH_BENCH_FASTPATH_BPF_LPM_MAPS_H
#define MARCH_BENCH_FASTPATH_BPF_LPM_MAPS_H

#include "bundle/abi/types.h"

struct bench_lpm4 {
  uint32_t length;
  uint32_t address;
};
struct bench_lpm6 {
  uint32_t length;
  uint32_t address[4];
};

struct bench_pair {
  uint32_t source;      /* number of the longest prefix */
  uint32_t destination; /* likewise */
  uint32_t l4;          /* class of protocol and port */
  uint32_t reserved;
};

/* Ports of TCP, then those of UDP. */
#define BENCH_PORTS (2u << 16)
#define BENCH_NO_CLASS 0xffffffffu

#ifdef __bpf__

#include "common/bpf.h"

#include "common/packet.h"

#define BPF_MAP_TYPE_HASH 1
#define BPF_MAP_TYPE_LPM_TRIE 11
#define BPF_F_NO_PREALLOC 1

#define BENCH_LPM(name, key_, value_)             \
  struct {                                        \
    MARCH_MAP_UINT(type, BPF_MAP_TYPE_LPM_TRIE);  \
    MARCH_MAP_UINT(max_entries, 1);               \
    MARCH_MAP_UINT(map_flags, BPF_F_NO_PREALLOC); \
    MARCH_MAP_TYPE(key, struct key_);             \
    MARCH_MAP_TYPE(value, value_);                \
  } name SEC(".maps")

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, BENCH_PORTS);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint32_t);
} bench_ports SEC(".maps");

/* BENCH_NO_CLASS for what is neither TCP nor UDP. */
MARCH_INLINE uint32_t bench_port_class(const struct march_key* key) {
  const uint32_t protocol = key->l4 >> 16;
  if (protocol != MARCH_PROTO_TCP && protocol != MARCH_PROTO_UDP) return BENCH_NO_CLASS;
  const uint32_t place = (key->l4 & 0xffff) | (protocol == MARCH_PROTO_UDP ? 1u << 16 : 0);
  const uint32_t* found = bpf_map_lookup_elem(&bench_ports, &place);
  return found ? *found : BENCH_NO_CLASS;
}

MARCH_INLINE struct bench_lpm4 bench_host4(uint64_t address) {
  const struct bench_lpm4 key = {32, __builtin_bswap32((uint32_t)address)};
  return key;
}

MARCH_INLINE struct bench_lpm6 bench_host6(uint64_t hi, uint64_t lo) {
  const struct bench_lpm6 key = {
      128,
      {__builtin_bswap32((uint32_t)(hi >> 32)), __builtin_bswap32((uint32_t)hi),
       __builtin_bswap32((uint32_t)(lo >> 32)), __builtin_bswap32((uint32_t)lo)}};
  return key;
}

#endif
#endif
