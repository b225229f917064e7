/* What a program tells of single packets, in the ring buffer `march_events`: of those that it drops
 * and, if that is asked for, of those that open a flow. Plain C: compiled for BPF and for the host.
 *
 * No more of either kind than the gateway's configuration allows a CPU. What is not told of is
 * counted: in the next event of its kind on that CPU, and in `march_statistics`, so that
 *   packets dropped = drops told + drops suppressed + drops lost
 * and likewise of what is allowed. */
#ifndef MARCH_BUNDLE_ABI_EVENT_H
#define MARCH_BUNDLE_ABI_EVENT_H

#include "bundle/abi/types.h"

struct march_event {
  uint64_t time;   /* nanoseconds since the machine started, suspension not counted */
  uint64_t untold; /* of its kind on this CPU, since the last event there */
  /* As judged (struct march_key): of a connection that a later policy forbids, its opener's. */
  uint64_t src_hi;
  uint64_t src_lo;
  uint64_t dst_hi;
  uint64_t dst_lo;
  uint32_t l4; /* 0, with a slot below MARCH_SLOT_DEFAULT: was not read */
  uint32_t source_port;
  uint32_t family; /* 4 or 6; 0: no addresses were read */
  uint32_t detail; /* TCP: its flags, of ICMP and ICMPv6: the identifier; else 0 */
  uint32_t generation;
  uint32_t slot;
  uint32_t action; /* MARCH_ACTION_* */
  uint32_t ifindex;
  uint32_t bytes; /* of the frame, from the Ethernet header on */
  uint32_t cpu;
};

enum march_event_kind { MARCH_EVENT_DROP = 0, MARCH_EVENT_ALLOW = 1, MARCH_EVENT_KINDS = 2 };

/* In the per-CPU array `march_event_budgets`, one a kind. */
struct march_event_budget {
  uint64_t next; /* when there may be another; a time as above */
  uint64_t untold;
};

/* A CPU that told of nothing for so long may tell of all at once that was allowed meanwhile. */
#define MARCH_EVENT_BURST 1000000000ull /* nanoseconds */

/* By kind: nanoseconds between two events on one CPU, in the long run, at most MARCH_EVENT_BURST;
 * 0: none. */
struct march_event_config {
  uint64_t intervals[MARCH_EVENT_KINDS];
};

#define MARCH_EVENT_RING_BYTES (1u << 20) /* room for 10,000 */

#endif
