/* Packets that nobody sends (bundle/abi/abuse.h). Compiled for BPF and for the host.
 *
 * The includer defines MARCH_INLINE, MARCH_CONFIG (the march_config), and
 *   const struct march_own_line* march_own_line_at(uint32_t line);   0: there is none */
#ifndef MARCH_BPF_TEMPLATES_COMMON_ABUSE_H
#define MARCH_BPF_TEMPLATES_COMMON_ABUSE_H

#include "bits.h"
#include "bundle/abi/abuse.h"
#include "bundle/abi/config.h"
#include "bundle/abi/tables.h"

#define MARCH_IPV4_BROADCAST 0xffffffffu

/* Of FIN, SYN, RST and ACK (bits 0, 1, 2 and 4 of TCP's flags) a segment has: SYN; SYN and ACK;
 * ACK; FIN and ACK; RST; RST and ACK (RFC 9293, 3.10.7). */
#define MARCH_FLAGS_OF_SEGMENTS \
  (1u << 0x02 | 1u << 0x12 | 1u << 0x10 | 1u << 0x11 | 1u << 0x04 | 1u << 0x14)

/* `flags` of a whole segment, or of its first fragment. */
MARCH_INLINE uint32_t march_flags_are_impossible(uint32_t flags) {
  return (MARCH_FLAGS_OF_SEGMENTS >> (flags & 0x17)) & 1 ? 0 : 1;
}

/* "This network" and loopback (RFC 6890): neither sends nor receives on a wire. */
MARCH_INLINE uint32_t march_is_unusable4(uint64_t address) {
  const uint32_t first = (uint32_t)address >> 24;
  return first == 0 || first == 127;
}

/* The unspecified address, loopback, and IPv4-mapped addresses (RFC 4291, RFC 6890). */
MARCH_INLINE uint32_t march_is_unusable6(uint64_t hi, uint64_t lo) {
  return hi == 0 && (lo <= 1 || lo >> 32 == 0xffffu);
}

/* Who has no address yet may ask for one (RFC 2131), or tell the routers of its link what groups it
 * is in (RFC 3376, 4.2.13). */
MARCH_INLINE uint32_t march_has_no_address4(const struct march_key* key) {
  if (key->src_lo != 0) return 0;
  if (key->dst_lo >> 8 == 0xe00000u) return 1;
  return key->dst_lo == MARCH_IPV4_BROADCAST && key->l4 == MARCH_L4_KEY(17, 67) &&
         key->source_port == 68;
}

MARCH_INLINE uint32_t march_is_martian(const struct march_key* key) {
  if (key->family == 4) {
    if ((uint32_t)key->src_lo >> 29 == 7 || march_is_unusable4(key->dst_lo)) return 1;
    return march_is_unusable4(key->src_lo) && !march_has_no_address4(key);
  }
  if (key->src_hi >> 56 == 0xff || march_is_unusable6(key->dst_hi, key->dst_lo)) return 1;
  if (!march_is_unusable6(key->src_hi, key->src_lo)) return 0;
  /* Without an address: to the link only (RFC 3810, 5.2.13; RFC 4862). */
  return (key->src_lo != 0) | (key->dst_hi >> 48 != 0xff02u);
}

MARCH_INLINE uint32_t march_is_own(uint32_t family, uint64_t hi, uint64_t lo) {
  const uint64_t mark =
      march_address_mark(MARCH_CONFIG.secret[0], MARCH_CONFIG.secret[1], family, hi, lo);
  const struct march_own_line* line = march_own_line_at((uint32_t)march_own_line_of(mark));
  if (!line) return 0;
  uint64_t is_own = 0;
  for (uint32_t i = 0; i < MARCH_OWN_MARKS; ++i) is_own |= march_is_zero(line->marks[i] ^ mark);
  return (uint32_t)is_own;
}

#endif
