/* Packets whose fate is known beforehand, and what the feeder (bpf-templates/prove/feeder.h) found
 * when it sent them through a generated program. Shared by the two. */
#ifndef MARCH_BUNDLE_ABI_WITNESS_H
#define MARCH_BUNDLE_ABI_WITNESS_H

#include "bundle/abi/types.h"

/* Addresses and ports are in the byte order of the wire; an IPv4 address lies in the low bytes of
 * the first word. */
struct march_witness {
  uint64_t source[2];
  uint64_t destination[2];
  uint32_t ports; /* the first four bytes of layer 4: source and destination port, or ICMP type and
                     code */
  uint8_t family; /* 4 or 6; the same in all that run together */
  uint8_t protocol;
  uint8_t later_fragment; /* 1: without layer 4 */
  uint8_t action;         /* expected: MARCH_ACTION_* */
  uint32_t slot;          /* expected to count it */
  uint32_t audit;         /* expected to count it as well; 0 for none */
};

/* The frame that witnesses are written into: Ethernet, an IP header and the longest header of
 * layer 4. */
#define MARCH_WITNESS_FRAME 74u
/* Of those that went wrong, this many are named. */
#define MARCH_WITNESS_MISSES 16u

struct march_witness_state {
  uint32_t next;   /* the witness to send */
  uint32_t count;  /* witnesses there are */
  uint32_t room;   /* entries of march_counters a CPU */
  uint32_t judged; /* sent and looked at */
  uint32_t misses; /* those whose action or counter was not as expected */
  uint32_t reserved;
  uint32_t miss[MARCH_WITNESS_MISSES];
};

#endif
