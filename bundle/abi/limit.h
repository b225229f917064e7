/* Limits of mappings, as the generated programs keep them. Plain C: compiled for BPF and for the
 * host.
 *
 * A *record*, one line of 64 bytes of the classifier tables (bundle/abi/tables.h), says what is
 * allowed. A mapping that limits several units has as many, one after the other: a packet must have
 * room in all of them.
 *
 * A *bucket* says what was used up (a virtual scheduling algorithm: GCRA, ITU-T I.371). It has a
 * clock of its own, which is a function of the time alone, so nothing adds up from packet to packet
 * that could be lost or rounded: since the machine started it has gone on by the rate. What is used
 * up is a moment of that clock; room is what the clock is ahead of it, and at most a burst.
 *
 * Buckets are the entries of `march_limit_buckets`, four in a line of 64 bytes. A bucket belongs to
 * a limit by its identity and, where addresses have limits of their own, to an address, and not to
 * a generation: what does not change keeps what it has used up. It is in the line that a hash of
 * both names. There, a new one takes the place of one that is full again, which says no more than
 * none would; or else of the one that will be full first, but of a mapping's as a whole only where
 * there are no others. */
#ifndef MARCH_BUNDLE_ABI_LIMIT_H
#define MARCH_BUNDLE_ABI_LIMIT_H

#include "bundle/abi/types.h"

/* What is counted. Bytes are those of the packet, from its IP header on: Ethernet header and VLAN
 * tags are not among them. Connections are packets that make a new flow. */
#define MARCH_LIMIT_PACKETS 0u
#define MARCH_LIMIT_BYTES 1u
#define MARCH_LIMIT_CONNECTIONS 2u

/* Who shares a bucket. */
#define MARCH_LIMIT_PER_MAPPING 0u
#define MARCH_LIMIT_PER_SOURCE 1u
#define MARCH_LIMIT_PER_DESTINATION 2u

/* What becomes of a packet above the limit. */
#define MARCH_LIMIT_DROP 0u
#define MARCH_LIMIT_MARK 1u

/* Units a second, and at once. */
#define MARCH_LIMIT_MOST 16000000000ull

/* Without a burst of its own, a limit of bytes lets the largest packet pass. */
#define MARCH_LIMIT_LEAST_BYTES 65535u

/* A bucket's clock has in 2^30 ns so many marks at most: with the nanoseconds of a span they still
 * fit in 64 bits. A unit is a whole number of marks, so a rate of MARCH_LIMIT_MOST has one mark a
 * unit, and this many of them exactly. */
#define MARCH_LIMIT_SPAN_SHIFT 30u
#define MARCH_LIMIT_MOST_SPEED (1ull << 34)
#define MARCH_LIMIT_MOST_SHIFT 33u
/* A burst has fewer marks than the clock begins with. */
#define MARCH_LIMIT_BEGINNING (1ull << 61)

/* Ticks, by which one sees which buckets are full: of 2^24 ns (17 ms). */
#define MARCH_LIMIT_TICK_SHIFT 24u
#define MARCH_LIMIT_MOST_REFILL (1u << 30)

struct march_limit {
  /* The same for as long as name of the mapping, unit, rate, burst, `per` and prefixes are: what
   * was used up belongs to it, whatever the generation. The first 8 bytes, little-endian, of the
   * SHA-256 of "NAME\nUNIT RATE BURST PER PREFIX_V4 PREFIX_V6\n", with numbers in decimal digits.
   */
  uint64_t identity;
  uint64_t rate;  /* units a second, 1 to MARCH_LIMIT_MOST */
  uint64_t burst; /* units, likewise */
  uint64_t speed; /* marks in 2^30 ns: rate * 2^shift * 2^30 / 10^9, rounded to the nearest */
  uint64_t room;  /* of a full bucket, in marks: burst * 2^shift */
  /* Ticks after which an empty bucket is full again: one more than begin until then, since the
   * first may have begun already; at most MARCH_LIMIT_MOST_REFILL. */
  uint32_t refill;
  uint32_t counter; /* the slot of march_counters where packets above the limit count */
  uint8_t unit;
  uint8_t per;
  uint8_t prefix_v4; /* how much of an address tells buckets apart; 0 for MARCH_LIMIT_PER_MAPPING */
  uint8_t prefix_v6; /* likewise */
  uint8_t exceed;
  uint8_t more; /* 1: the next record is the mapping's too */
  /* A unit is 2^shift marks: the most that speed and room allow, and MARCH_LIMIT_MOST_SHIFT. So the
   * rate is met to 2^-33 of it, unless the burst is a great deal larger. */
  uint8_t shift;
  uint8_t reserved0;
  uint64_t reserved;
};

#define MARCH_LIMIT_LANES 4u

struct march_bucket {
  uint32_t tag;  /* whose it is: MARCH_BUCKET_*, and a fingerprint; 0: nobody's */
  uint32_t full; /* the tick by which it is full again */
  uint64_t used; /* mark of the limit's clock */
};

#define MARCH_BUCKET_TAKEN 1u
#define MARCH_BUCKET_OF_MAPPING 2u

struct march_bucket_line {
  struct march_bucket buckets[MARCH_LIMIT_LANES];
};

/* What a gateway gives its limits. */
struct march_limit_config {
  uint32_t lines; /* of march_limit_buckets; 0: nothing is limited */
  uint32_t reserved;
};

/* A limit's clock, nanoseconds after the machine started: it fits for 31 years. */
static inline uint64_t march_limit_clock(const struct march_limit* limit, uint64_t nanoseconds) {
  const uint64_t part = nanoseconds & ((1ull << MARCH_LIMIT_SPAN_SHIFT) - 1);
  return MARCH_LIMIT_BEGINNING + (nanoseconds >> MARCH_LIMIT_SPAN_SHIFT) * limit->speed +
         (part * limit->speed >> MARCH_LIMIT_SPAN_SHIFT);
}

#endif
