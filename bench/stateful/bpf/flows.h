/* Connections by number, and how a packet of one becomes the headers of a frame. Shared by the BPF
 * programs that send packets and by who tells them which.
 *
 * Flow n is between client and server of addresses and a client's port that follow from n alone, so
 * that there are as many flows as anybody needs without a table of them: 2^(source_bits +
 * destination_bits + 15). Flows that follow one another have nothing in common. */
#ifndef MARCH_BENCH_STATEFUL_BPF_FLOWS_H
#define MARCH_BENCH_STATEFUL_BPF_FLOWS_H

#include "bench/common/bpf/frame.h"
#include "bundle/abi/types.h"

#define BENCH_TCP 6u
#define BENCH_UDP 17u

#define BENCH_FIN 0x01u
#define BENCH_SYN 0x02u
#define BENCH_RST 0x04u
#define BENCH_ACK 0x10u

#define BENCH_SERVER_PORT 443u
#define BENCH_DENIED_PORT 444u
#define BENCH_FIRST_CLIENT_PORT 32768u
#define BENCH_CLIENT_PORT_BITS 15

/* Clients are 10.1.0.0/16 and 2001:db8:1::/112, servers 10.2.0.0/16 and 2001:db8:2::/112. */
#define BENCH_CLIENTS4 0x0a010000u
#define BENCH_SERVERS4 0x0a020000u
#define BENCH_CLIENTS6 0x20010db800010000ull
#define BENCH_SERVERS6 0x20010db800020000ull
#define BENCH_MOST_BITS 16

/* What the next packets are. */
struct bench_flows {
  uint64_t next;     /* packets so far */
  uint64_t first;    /* the first packet's flow, if they are not in order */
  uint32_t in_order; /* 1: flows are those of bench_order; 0: every packet is of the next flow */
  uint32_t order_mask;
  uint32_t family;
  uint32_t protocol;
  uint32_t tcp_flags;
  uint32_t reply; /* 1: from the server to the client */
  uint32_t source_bits;
  uint32_t destination_bits;
  uint32_t server_port;
  uint32_t interface; /* that frames leave from */
  uint8_t destination_mac[6];
  uint8_t source_mac[6];
};

/* The lowest bits of the address of one of 2^bits hosts, which stand apart from one another. */
#define BENCH_HOST(number, bits) (((number) & ((1u << (bits)) - 1)) << (BENCH_MOST_BITS - (bits)))

#ifdef __bpf__

#include "common/bpf.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct bench_flows);
} bench_flows SEC(".maps");

/* Numbers of flows, one a packet, over and over. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint32_t);
} bench_order SEC(".maps");

struct bench_flow {
  uint32_t client; /* the lowest bits of the address */
  uint32_t server;
  uint32_t client_port;
};

/* An odd factor makes a permutation of the numbers of so many bits. */
MARCH_INLINE struct bench_flow bench_flow_of(const struct bench_flows* flows, uint64_t number) {
  const uint64_t mixed = number * 0x9e3779b97f4a7c15ull;
  const uint32_t port = (uint32_t)(mixed >> (flows->source_bits + flows->destination_bits)) &
                        ((1u << BENCH_CLIENT_PORT_BITS) - 1);
  const struct bench_flow flow = {
      BENCH_HOST((uint32_t)mixed, flows->source_bits),
      BENCH_HOST((uint32_t)(mixed >> flows->source_bits), flows->destination_bits),
      BENCH_FIRST_CLIENT_PORT + port};
  return flow;
}

MARCH_INLINE uint32_t bench_net16(uint32_t value) {
  return (uint16_t)(value << 8 | value >> 8);
}

MARCH_INLINE void bench_write_l4(const struct bench_flows* flows, const struct bench_flow* flow,
                                 uint8_t* l4) {
  const uint32_t client = bench_net16(flow->client_port);
  const uint32_t server = bench_net16(flows->server_port);
  *(uint32_t*)l4 = flows->reply ? server | client << 16 : client | server << 16;
  if (flows->protocol == BENCH_UDP) {
    *(uint32_t*)(l4 + 4) = bench_net16(BENCH_L4_BYTES);
    *(uint64_t*)(l4 + 8) = 0;
    *(uint32_t*)(l4 + 16) = 0;
    return;
  }
  /* Both sides count from 1000, and say nothing behind the handshake. */
  const uint32_t sequence = flows->tcp_flags & BENCH_SYN ? 1000 : 1001;
  const uint32_t acknowledged = flows->tcp_flags & BENCH_ACK ? 1001 : 0;
  *(uint32_t*)(l4 + 4) = __builtin_bswap32(sequence);
  *(uint32_t*)(l4 + 8) = __builtin_bswap32(acknowledged);
  *(uint32_t*)(l4 + 12) = 0x50 | flows->tcp_flags << 8 | bench_net16(64240) << 16;
  *(uint32_t*)(l4 + 16) = 0;
}

/* Writes all headers but checksums. 0: the frame is too short, or there is no order. */
MARCH_INLINE uint32_t bench_write_flow(struct bench_flows* flows, uint8_t* data,
                                       const uint8_t* end) {
  uint64_t number = flows->first + flows->next;
  if (flows->in_order) {
    const uint32_t at = (uint32_t)flows->next & flows->order_mask;
    const uint32_t* chosen = bpf_map_lookup_elem(&bench_order, &at);
    if (!chosen) return 0;
    number = *chosen;
  }
  flows->next += 1;
  const struct bench_flow flow = bench_flow_of(flows, number);
  if (data + BENCH_L4_IN_IPV4 + BENCH_L4_BYTES > end) return 0;
  __builtin_memcpy(data, flows->destination_mac, 6);
  __builtin_memcpy(data + 6, flows->source_mac, 6);
  if (flows->family == 4) {
    const uint32_t client = __builtin_bswap32(BENCH_CLIENTS4 + flow.client);
    const uint32_t server = __builtin_bswap32(BENCH_SERVERS4 + flow.server);
    data[BENCH_IP + 8] = 64;
    data[BENCH_IP + 9] = (uint8_t)flows->protocol;
    *(uint32_t*)(data + BENCH_IP + 12) = flows->reply ? server : client;
    *(uint32_t*)(data + BENCH_IP + 16) = flows->reply ? client : server;
    bench_write_l4(flows, &flow, data + BENCH_L4_IN_IPV4);
  } else {
    if (data + BENCH_L4_IN_IPV6 + BENCH_L4_BYTES > end) return 0;
    const uint64_t clients = __builtin_bswap64(BENCH_CLIENTS6);
    const uint64_t servers = __builtin_bswap64(BENCH_SERVERS6);
    const uint64_t client = __builtin_bswap64(flow.client);
    const uint64_t server = __builtin_bswap64(flow.server);
    data[BENCH_IP + 6] = (uint8_t)flows->protocol;
    data[BENCH_IP + 7] = 64;
    *(uint64_t*)(data + BENCH_IP + 8) = flows->reply ? servers : clients;
    *(uint64_t*)(data + BENCH_IP + 16) = flows->reply ? server : client;
    *(uint64_t*)(data + BENCH_IP + 24) = flows->reply ? clients : servers;
    *(uint64_t*)(data + BENCH_IP + 32) = flows->reply ? client : server;
    bench_write_l4(flows, &flow, data + BENCH_L4_IN_IPV6);
  }
  return 1;
}

#endif
#endif
