/* What a packet's judgement looks like, shared by the generated programs, the native walker and
 * marchd. Plain C: compiled for BPF and for the host. */
#ifndef MARCH_BUNDLE_ABI_VERDICT_H
#define MARCH_BUNDLE_ABI_VERDICT_H

#include "bundle/abi/types.h"

/* Actions a kernel can take. Deny is zero, so that everything that goes wrong denies. */
#define MARCH_ACTION_DENY 0u
#define MARCH_ACTION_ALLOW 1u

/* Every packet counts in exactly one slot, and, beyond that, in the slot of the mapping under audit
 * that would judge it if all audits were enforced. The first slots are for packets that no mapping
 * judges; then come the default and the mappings, those under audit among them, in order of
 * precedence: of two mappings that match, the one with the lower slot decides. Behind them are
 * slots for the limits of mappings, in the same order: what exceeds a limit counts there too. */
enum march_slot {
  MARCH_SLOT_INTERNAL = 0,     /* dropped: a table held something impossible */
  MARCH_SLOT_ARP = 1,          /* passed: ARP */
  MARCH_SLOT_NEIGHBOUR = 2,    /* passed: IPv6 neighbour discovery from this link (RFC 4861) */
  MARCH_SLOT_NOT_IP = 3,       /* dropped: an EtherType that is not IP */
  MARCH_SLOT_VLAN_DEPTH = 4,   /* dropped: more than two VLAN tags */
  MARCH_SLOT_TRUNCATED = 5,    /* dropped: ends before the headers that decide */
  MARCH_SLOT_MALFORMED = 6,    /* dropped: headers that contradict themselves */
  MARCH_SLOT_EXTENSIONS = 7,   /* dropped: more IPv6 extension headers than are walked */
  MARCH_SLOT_SOURCE_ROUTE = 8, /* dropped: IPv4 source route, IPv6 routing header in use */
  MARCH_SLOT_FRAGMENT = 9,     /* dropped: a fragment whose ports could matter */
  MARCH_SLOT_LIMIT = 10,       /* dropped: above the limit of the mapping that allows it */
  MARCH_SLOT_CUT = 11,         /* dropped: an operator has cut its connection */
  MARCH_SLOT_BLOCKED = 12,     /* dropped: an address on the block list */
  MARCH_SLOT_LAND = 13,        /* dropped: sent by its own destination */
  MARCH_SLOT_FLAGS = 14,       /* dropped: TCP flags that no packet has */
  MARCH_SLOT_MARTIAN = 15,     /* dropped: an address that nobody can have sent from or to */
  MARCH_SLOT_SPOOFED = 16,     /* dropped: an address of the gateway's own as the source */
  MARCH_SLOT_SYN_RATE = 17,    /* dropped: too many connections from one source */
  MARCH_SLOT_FLOW_RATE = 18,   /* dropped: too many new flows from one source */
  MARCH_SLOT_ICMP_RATE = 19,   /* dropped: too much ICMP from one source */
  MARCH_SLOT_COOKIE = 20,      /* answered with a SYN cookie */
  MARCH_SLOT_DEFAULT = 32,     /* no mapping matched: defaults.action */
  MARCH_SLOT_FIRST_MAPPING = 33
};

/* A verdict: the action in the low 8 bits, the slot in the upper 24. In the tables, the action has
 * MARCH_VERDICT_AUDITED for a mapping under audit, which decides nothing. */
#define MARCH_VERDICT_AUDITED 0x80u
#define MARCH_VERDICT_PERHAPS                                        \
  0x40u /* while judging a fragment: whether it matches is not known \
         */
#define MARCH_VERDICT_NONE 0xffffffffu
#define MARCH_VERDICT(action, slot) ((((slot) + 0u) << 8) | (action))
#define MARCH_VERDICT_ACTION(verdict) ((verdict) & 0xffu)
#define MARCH_VERDICT_SLOT(verdict) ((verdict) >> 8)
#define MARCH_MAX_SLOTS (1u << 24)

/* The array `march_counters` has entries of 64 bits, in one block a CPU, one block after the other:
 * a CPU writes in its own only. (The kernel's own per-CPU arrays keep a pointer an entry and CPU,
 * which is one more look at memory a packet.) A block has room for MARCH_SLOTS slots:
 *
 *   MARCH_SLOTS words, one a slot: what every packet changes, so they lie side by side.
 *     Bits 0-41 are bytes, bits 42-63 packets.
 *   MARCH_SLOTS wide counters of two entries, one a slot: packets, then bytes.
 *
 * After every 2^21 packets a word *spills*: its bytes and the 2^21 packets go to the wide counter,
 * and it begins anew at zero but for bit 63, which is the parity of how often it spilled. So the
 * packets of a slot are the wide counter's and those in bits 42-62 of the word, and the bytes are
 * the wide counter's and those of the word. bundle/abi/counters.h has how this is done and read
 * while it changes.
 *
 * The object's map asks for the entries of one block. MARCH_SLOTS is a multiple of
 * MARCH_COUNTER_ROOM, so no two CPUs share a cache line. Bytes count whole frames, from the
 * Ethernet header on. */
#define MARCH_COUNTER_ROOM 256u
#define MARCH_COUNTER_WORDS 3u /* entries of a block for each slot */

/* What was counted in a slot, as its readers get it. */
struct march_counter {
  uint64_t packets;
  uint64_t bytes;
};

#endif
