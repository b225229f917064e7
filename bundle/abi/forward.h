/* What forwarding in the program's place (`forward: fast`) asks of the loader, and what it keeps
 * between packets. Plain C: compiled for BPF and for the host. */
#ifndef MARCH_BUNDLE_ABI_FORWARD_H
#define MARCH_BUNDLE_ABI_FORWARD_H

#include "bundle/abi/types.h"

/* Packets that may pass, between interfaces that both are MARCH_INTERFACE_FAST. */
struct march_forward_config {
  uint32_t fast; /* 0: the kernel forwards them */
  uint32_t reserved;
};

/* Entries of march_refreshed: when a next hop's neighbour was last left to the kernel. */
#define MARCH_REFRESH_BITS 10

/* The kernel's answer, which holds for a turn of 2^MARCH_NEXT_HOP_SHIFT jiffies: 32 ms to 320 ms by
 * how often the kernel's clock ticks. Where routes are plain (march_interface.plain_until), it is
 * that for all packets of a class of service from an interface to an address. Else it is that for
 * one connection's packets in one direction: all that the kernel may decide by is compared. */
struct march_next_hop {
  /* The question, in the order of the packet's bytes. */
  uint32_t src[4]; /* IPv4: the first */
  uint32_t dst[4];
  uint32_t in;       /* ifindex */
  uint32_t service;  /* IPv4: type of service; IPv6: traffic class and flow label */
  uint16_t ports[2]; /* source, destination; 0: the protocol has none, or a fragment */
  uint8_t family;    /* AF_INET or AF_INET6; with 0x80: only that `dst` may be a source of packets
                        from there; 0: nothing is known here */
  uint8_t protocol;
  /* The answer. */
  uint16_t bytes; /* a packet of so many is not too large */
  uint32_t turn;
  uint32_t out; /* ifindex */
  uint8_t mac[6];
  uint8_t is_plain;
  uint8_t reserved;
};
#define MARCH_NEXT_HOP_SHIFT 5

/* Each CPU has 2^MARCH_NEXT_HOP_BITS of these (march_next_hops); an address or a connection has its
 * place in one. */
struct march_next_hops {
  struct march_next_hop hops[2];
};
#define MARCH_NEXT_HOP_BITS 11

#endif
