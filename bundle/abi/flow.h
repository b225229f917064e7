/* Connections, as the generated programs and marchd keep them: a flow is what one mapping let
 * through, together with its replies. Plain C: compiled for BPF and for the host, which reads and
 * changes the same memory.
 *
 * Two tables, each bounded and never larger: *new* flows, which one side has opened, and
 * *established* ones, where the opener has gone on after an answer. So whatever floods a gateway
 * with packets that nobody answers, or whose answers nobody takes up, fights for room among its
 * like only (half-open TCP: RFC 4987).
 *
 * `march_flow_buckets`: lines of 64 bytes, one a bucket, of eight words, one a flow; first those of
 * established flows, then those of new ones. A word says whether there is a flow, until when it
 * lives if nothing comes, and a fingerprint; `march_flows` has what belongs to a word, at its
 * number. A flow is in the bucket that its hash names, or, if that was crowded, in its second one,
 * where it is only looked for if the place that its hash names among the new flows says so.
 *
 * Words are claimed and given up by compare-and-swap. Between the two a flow belongs to whoever
 * sees its packets; both directions count in words of their own. */
#ifndef MARCH_BUNDLE_ABI_FLOW_H
#define MARCH_BUNDLE_ABI_FLOW_H

#include "bundle/abi/tables.h"
#include "bundle/abi/types.h"

#define MARCH_FLOW_LANES 8u

struct march_flow_bucket {
  uint64_t words[MARCH_FLOW_LANES];
};

/* A word: the deadline in ticks in the low half, then the state of the place, then the fingerprint.
 * A word of zero is free; one whose deadline has passed is a flow that has ended. Of ended flows
 * the record stays until marchd has read it or a newer flow takes the place. */
#define MARCH_FLOW_TAKEN (1ull << 32) /* the flow is being written, and may be read by nobody */
#define MARCH_FLOW_READY (1ull << 33)
#define MARCH_FLOW_ENDED (1ull << 34)     /* instead of READY: by a packet, at deadline + 1 */
#define MARCH_FLOW_FORBIDDEN (1ull << 35) /* with ENDED: since a later policy forbids it */
#define MARCH_FLOW_FINGERPRINT (~0ull << 40)
#define MARCH_FLOW_DEADLINE(word) ((word) & 0xffffffffu)

/* Since the machine started, suspension not counted; 2^32 of them are 36 years. */
#define MARCH_TICK_SHIFT 28 /* of nanoseconds: a tick is 0.268 s */
#define MARCH_TICKS(seconds) (((seconds) * 1000000000ull >> MARCH_TICK_SHIFT) + 1)
/* How much later a deadline must be than the one written down, so that it is written. */
#define MARCH_FLOW_SLACK 4u

/* Of the side that opened the flow, whose packets are its forward direction. The first line of
 * memory is all that a packet touches of a flow that goes on as it was. */
struct march_flow {
  uint64_t src_hi;
  uint64_t src_lo;
  uint64_t dst_hi;
  uint64_t dst_lo;
  uint64_t l4;     /* MARCH_FLOW_L4 */
  uint64_t judged; /* MARCH_FLOW_JUDGED */
  /* The low parts of what each direction (MARCH_FLOW_FORWARD, MARCH_FLOW_REPLY) counts, and whole
   * frames' bytes, from the Ethernet header on. Each direction's packets are counted by one CPU at
   * a time, where a NIC spreads by flow. Where two count at the very instant of a carry, it may be
   * counted twice or not at all. */
  uint32_t bytes[2];
  uint16_t packets[2];
  uint32_t audit; /* slot of the mapping under audit that would judge it, or 0 */

  uint32_t begun;   /* tick */
  uint32_t isn;     /* TCP, once answered: the first sequence number of the answer */
  uint32_t ifindex; /* that its first packet came in by */
  uint32_t reserved;
  /* The high parts. Where packets flow, one may be ahead of its low part for an instant. */
  uint64_t carried_bytes[2];
  uint64_t carried_packets[2];
  /* Of the place among the new flows, and not of the flow that is in it: until which tick a flow
   * whose hash names this place may be in its second bucket, by MARCH_FLOW_TABLE_*. Whoever puts
   * one there raises it before; nobody lowers it. */
  uint32_t spilled_until[2];
  uint64_t reserved_too;
};

/* Of all that lies in these maps. Those of another form are made anew. */
#define MARCH_FLOW_FORM 2u

#define MARCH_FLOW_FORWARD 0u
#define MARCH_FLOW_REPLY 1u
#define MARCH_FLOW_PACKETS(flow, direction) \
  ((flow).carried_packets[direction] << 16 | (flow).packets[direction])
#define MARCH_FLOW_BYTES(flow, direction) \
  ((flow).carried_bytes[direction] << 32 | (flow).bytes[direction])

#define MARCH_FLOW_TABLE_ESTABLISHED 0u
#define MARCH_FLOW_TABLE_NEW 1u

/* Ports, protocol, what kind of ports they are, and the family (4 or 6). */
#define MARCH_FLOW_L4(source, destination, protocol, kind, family)                \
  (((source) + 0ull) | ((destination) + 0ull) << 16 | ((protocol) + 0ull) << 32 | \
   ((kind) + 0ull) << 40 | ((family) + 0ull) << 56)
#define MARCH_FLOW_SOURCE_PORT(l4) ((l4) & 0xffffu)
#define MARCH_FLOW_DESTINATION_PORT(l4) ((l4) >> 16 & 0xffffu)
#define MARCH_FLOW_PROTOCOL(l4) ((l4) >> 32 & 0xffu)
#define MARCH_FLOW_KIND(l4) ((l4) >> 40 & 0xffffu)
#define MARCH_FLOW_FAMILY(l4) ((l4) >> 56)
/* Kinds. Of ICMP: the type of the requests, with both ports the identifier. Of the fragments of one
 * packet: the ports are its identification. */
#define MARCH_KIND_PORTS 0u
#define MARCH_KIND_ICMP(type) (0x100u | (type))
#define MARCH_KIND_FRAGMENTS 0x200u

/* The generation that judged it last, its mapping's slot there, and MARCH_FLOW_* below. */
#define MARCH_FLOW_JUDGED(generation, slot, state) \
  (((generation) + 0ull) << 32 | ((slot) + 0ull) << 8 | (state))
#define MARCH_FLOW_GENERATION(judged) ((judged) >> 32)
#define MARCH_FLOW_SLOT(judged) ((judged) >> 8 & 0xffffffu)
#define MARCH_FLOW_STATE(judged) ((judged) & 0xffu)

#define MARCH_FLOW_SYN 0x01u         /* TCP: begun with a SYN, so its handshake was seen */
#define MARCH_FLOW_ANSWERED 0x02u    /* the other side has sent; of a handshake: SYN and ACK */
#define MARCH_FLOW_FIN_FORWARD 0x04u /* the opener has ended its direction */
#define MARCH_FLOW_FIN_REPLY 0x08u
#define MARCH_FLOW_RESET 0x10u
#define MARCH_FLOW_CUT 0x20u /* by an operator: all its packets drop, until it is opened anew */
#define MARCH_FLOW_ESTABLISHED 0x40u
#define MARCH_FLOW_FINS (MARCH_FLOW_FIN_FORWARD | MARCH_FLOW_FIN_REPLY)

enum march_timeout {
  MARCH_TIMEOUT_TCP_OPENING = 0,     /* no handshake yet */
  MARCH_TIMEOUT_TCP_ESTABLISHED = 1, /* RFC 5382, REQ-5: at least 2 hours 4 minutes */
  MARCH_TIMEOUT_TCP_CLOSING = 2,     /* one side has ended */
  MARCH_TIMEOUT_TCP_CLOSED = 3,      /* both have, or one has reset it */
  MARCH_TIMEOUT_UDP_NEW = 4,
  MARCH_TIMEOUT_UDP = 5, /* RFC 4787, REQ-5: at least 2 minutes, better 5 */
  MARCH_TIMEOUT_ICMP = 6,
  MARCH_TIMEOUT_OTHER = 7,
  MARCH_TIMEOUT_FRAGMENTS = 8, /* RFC 8200: 60 s to put a packet together */
  MARCH_TIMEOUTS = 9
};

/* Of march_scratch, which is a program's alone: two flows that it looks for, and a packet's key. */
#define MARCH_SCRATCH_BYTES (2 * 88 + sizeof(struct march_key))

struct march_flow_config {
  uint32_t established;              /* buckets; 0: no flows are kept */
  uint32_t fresh;                    /* buckets of new flows, after those of established ones */
  uint32_t generation;               /* in `judged` of what this program judges; not 0 */
  uint32_t timeouts[MARCH_TIMEOUTS]; /* ticks */
};

#endif
