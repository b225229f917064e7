/* What a gateway drops whatever its policy says, before connections and mappings are asked. Plain
 * C: compiled for BPF and for the host. */
#ifndef MARCH_BUNDLE_ABI_ABUSE_H
#define MARCH_BUNDLE_ABI_ABUSE_H

#include "bundle/abi/limit.h"
#include "bundle/abi/types.h"

/* Packets that nobody sends, by what is wrong with them. */
#define MARCH_SCREEN_LAND 1u     /* sent by its own destination */
#define MARCH_SCREEN_FLAGS 2u    /* TCP flags that no packet has */
#define MARCH_SCREEN_MARTIANS 4u /* addresses that none can have on the wire */
#define MARCH_SCREEN_SPOOFED 8u  /* the gateway's own address as the source */

/* Of what one source, or sources that begin alike, may send so much a second and no more. */
enum march_rate {
  MARCH_RATE_SYN = 0,   /* beginnings of connections of TCP, whatever becomes of them */
  MARCH_RATE_FLOWS = 1, /* connections that the policy allows */
  MARCH_RATE_ICMP = 2,
  MARCH_RATES = 3
};

/* Who may begin connections of TCP while too many do that cannot be told from spoofed sources. The
 * gateway answers in the server's place, with a number that only who gets the answer can know (SYN
 * cookies: RFC 4987, 3.6). A source that gives it back is real: the gateway resets what was no
 * connection with anybody, and lets the next ones pass. So is the source of a connection that was
 * seen to be established. */
struct march_cookie_config {
  uint32_t lines;              /* of march_real_sources; 0: no cookies */
  uint32_t remember;           /* ticks (MARCH_TICK_SHIFT) that a source is taken for real */
  struct march_limit unproven; /* connections that all others may begin; a `rate` of 0: none */
};

struct march_abuse_config {
  uint32_t screens; /* MARCH_SCREEN_* */
  uint32_t blocks;  /* most prefixes of the block list, a power of two; 0: there is none */
  /* By enum march_rate, in packets; a `rate` of 0 is none. Their buckets are among those of the
   * limits of mappings (march_limit_config). */
  struct march_limit rates[MARCH_RATES];
  struct march_cookie_config cookies;
};

/* The gateway's own addresses, for MARCH_SCREEN_SPOOFED: `march_own_addresses` is a table of lines
 * of marks. A mark says which address it stands for, and in which line it is; 0 is none. marchd
 * writes and clears single words while programs read them. */
#define MARCH_OWN_LINES 128u
#define MARCH_OWN_MARKS 8u /* a line */

struct march_own_line {
  uint64_t marks[MARCH_OWN_MARKS];
};

/* `march_real_sources`: lines of words, one a source: until when it is taken for real (a
 * tick) in the low half, the upper half of its mark above. */
#define MARCH_REAL_SOURCES 8u /* a line */

struct march_real_line {
  uint64_t sources[MARCH_REAL_SOURCES];
};

/* Of an address; an IPv4 address is `lo`. Two addresses have the same mark once in 2^63 times, and
 * who does not know the secret cannot look for such. */
static inline uint64_t march_address_mark(uint64_t secret, uint64_t second_secret, uint32_t family,
                                          uint64_t hi, uint64_t lo) {
  uint64_t mark = (hi ^ secret) * 0x9e3779b97f4a7c15ull;
  mark =
      ((mark ^ mark >> 32) + (lo ^ (family + 0ull) << 56) + second_secret) * 0xd6e8feb86659fd93ull;
  mark ^= mark >> 32;
  return mark | 1;
}

static inline uint64_t march_own_line_of(uint64_t mark) {
  return mark >> 57;
}

#endif
