/* What the programs know of the interfaces that marchd guards, in the array `march_interfaces`:
 * that is what it takes to do the kernel's work for a packet, and to leave to the kernel what only
 * the kernel can do. marchd keeps it up to date; what is missing in it is left to the kernel, or
 * not answered. Plain C: compiled for BPF and for the host. */
#ifndef MARCH_BUNDLE_ABI_INTERFACE_H
#define MARCH_BUNDLE_ABI_INTERFACE_H

#include "bundle/abi/types.h"

/* An interface stands at its number modulo MARCH_INTERFACES, or, where that is taken, at one of the
 * next places. */
#define MARCH_INTERFACES 256u
#define MARCH_INTERFACE_PLACES 4u

/* Packets that come in here, and may pass, are forwarded by the program. */
#define MARCH_INTERFACE_FAST 0x01u
/* Takes frames from programs that run on other interfaces. */
#define MARCH_INTERFACE_TRANSMITS 0x02u
/* Frames come from this machine, so their checksums may not have been computed yet. */
#define MARCH_INTERFACE_LOCAL 0x04u
/* The kernel would ask whether the way back to an IPv4 source leads out here (RFC 3704, 2.2), or
 * whether there is one at all (2.4). */
#define MARCH_INTERFACE_STRICT 0x08u
#define MARCH_INTERFACE_LOOSE 0x10u
/* One end of a veth pair. What is sent back from it with XDP_TX waits until something else is sent,
 * unless the other end has a program too; what is redirected to it does not. */
#define MARCH_INTERFACE_PAIRED 0x20u

struct march_interface {
  uint32_t ifindex; /* 0: none */
  uint32_t flags;   /* MARCH_INTERFACE_* */
  uint8_t mac[8];   /* and two bytes of zeros */
  uint32_t ipv4;    /* an address of its own, the first octet highest; 0: it has none */
  uint32_t reserved;
  uint64_t ipv6_hi; /* likewise, not of this link only; 0: it has none */
  uint64_t ipv6_lo;
  /* Of IPv4 and IPv6: until then (CLOCK_MONOTONIC, ns), routes are known to be plain: they ask for
   * no more of a packet than where it comes in, its destination and its class of service. 0: they
   * are not, or marchd does not know. */
  uint64_t plain_until[2];
  uint64_t reserved_too;
};

#endif
