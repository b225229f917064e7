/* What a gateway's configuration (kind: Runtime) asks of the program that it loads. The object has
 * one `march_config`, all zero, in read-only data; the loader fills it in before it loads, so every
 * value is a constant to the verifier, which removes what is switched off. All zero is a program
 * that judges every packet by itself.
 *
 * Fields are only ever added at the end: a loader leaves what an object does not have. */
#ifndef MARCH_BUNDLE_ABI_CONFIG_H
#define MARCH_BUNDLE_ABI_CONFIG_H

#include "bundle/abi/abuse.h"
#include "bundle/abi/event.h"
#include "bundle/abi/flow.h"
#include "bundle/abi/forward.h"
#include "bundle/abi/limit.h"
#include "bundle/abi/types.h"

#define MARCH_CONFIG_SECTION ".rodata.march"

/* Answers to packets that may not pass: a reset for TCP, else an error of ICMP. On every CPU one
 * each `interval`, and after a silence as many at once as make up `burst`. */
struct march_reject_config {
  uint64_t interval;   /* ns; 0: none is answered */
  uint64_t burst;      /* ns */
  uint32_t all_denied; /* what no mapping allows is answered, not only what one rejects */
  uint32_t reserved;
};

struct march_config {
  uint64_t secret[2]; /* of keyed hashes; the gateway's own, as old as the state it keeps */
  struct march_flow_config flows;
  struct march_event_config events;
  struct march_limit_config limits;
  struct march_forward_config forward;
  struct march_reject_config reject;
  struct march_abuse_config abuse;
};

/* What is counted beside packets by slot, in the per-CPU array `march_statistics`. */
enum march_statistic {
  MARCH_STATISTIC_FLOWS_OPENED = 0,      /* flows that were made */
  MARCH_STATISTIC_FLOWS_ESTABLISHED = 1, /* of those, in both directions and moved */
  MARCH_STATISTIC_FLOWS_EVICTED = 2,     /* new ones that made room for newer ones */
  MARCH_STATISTIC_FLOWS_NO_ROOM = 3,     /* new ones not moved: the table of others is full */
  MARCH_STATISTIC_FLOWS_CUT = 4,         /* flows that a later policy forbids */
  MARCH_STATISTIC_FLOWS_REPLACED = 5,    /* ended ones whose place was taken before the record */
  MARCH_STATISTIC_RELATED = 6,           /* errors of ICMP that passed with their flow */
  /* By enum march_event_kind, one after the other. */
  MARCH_STATISTIC_EVENTS_TOLD = 40,       /* in the ring */
  MARCH_STATISTIC_EVENTS_SUPPRESSED = 42, /* more than are to be told */
  MARCH_STATISTIC_EVENTS_LOST = 44,       /* the ring was full */
  MARCH_STATISTIC_LIMITS_EVICTED = 16,    /* buckets that made room before they were full again */
  MARCH_STATISTIC_LIMITS_BUSY = 17,       /* packets above a limit since CPUs met at its bucket */
  MARCH_STATISTIC_COOKIES_SENT = 24,      /* answers in the place of a server */
  MARCH_STATISTIC_COOKIES_RETURNED = 25,  /* sources that gave a cookie back */
  /* Packets that may pass between fast interfaces. Each is counted once: forwarded, or left to the
   * kernel, and why. */
  MARCH_STATISTIC_FORWARDED = 64,
  MARCH_STATISTIC_KERNEL_INTERFACE =
      65,                               /* it came in by, or would leave by, one that is not fast */
  MARCH_STATISTIC_KERNEL_ADDRESS = 66,  /* not sent to this gateway's MAC, or never forwarded */
  MARCH_STATISTIC_KERNEL_HEADERS = 67,  /* VLAN tags, IPv4 options, hop-by-hop options, ... */
  MARCH_STATISTIC_KERNEL_CHECKSUM = 68, /* its sender has left the checksum to be computed */
  MARCH_STATISTIC_KERNEL_TTL = 69,      /* its TTL or hop limit ends here */
  MARCH_STATISTIC_KERNEL_SOURCE = 70,   /* the way back to its source is another one */
  MARCH_STATISTIC_KERNEL_LOCAL = 71,    /* to the gateway itself, or nowhere */
  MARCH_STATISTIC_KERNEL_DISABLED = 72, /* forwarding is switched off where it came in */
  MARCH_STATISTIC_KERNEL_MTU = 73,      /* larger than the route's MTU */
  MARCH_STATISTIC_KERNEL_NEIGHBOUR = 74, /* the next hop's address is not known yet */
  MARCH_STATISTIC_KERNEL_REFRESH = 75,   /* one now and then, so that the next hop stays known */
  MARCH_STATISTIC_KERNEL_TUNNEL = 76,    /* the route encapsulates */
  /* Answers to packets that are rejected. */
  MARCH_STATISTIC_ANSWERED_RESET = 80,    /* TCP */
  MARCH_STATISTIC_ANSWERED_ICMP = 81,     /* all others */
  MARCH_STATISTIC_ANSWER_SUPPRESSED = 82, /* more than are to be answered */
  MARCH_STATISTIC_ANSWER_NONE = 83,       /* none is due: multicast, errors, later fragments, ... */
  MARCH_STATISTICS = 128
};

#endif
