/* What drops a packet whatever the policy says of it (common/abuse.h, common/block.h), in force as
 * far as the gateway is configured so (march_config.abuse). */
#ifndef MARCH_BPF_TEMPLATES_XDP_ABUSE_H
#define MARCH_BPF_TEMPLATES_XDP_ABUSE_H

#include "common/bpf.h"

#include "bundle/abi/abuse.h"
#include "common/packet.h"
#include "xdp/block.h"
#include "xdp/limits.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_OWN_LINES);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_own_line);
} march_own_addresses SEC(".maps");

MARCH_INLINE const struct march_own_line* march_own_line_at(uint32_t line) {
  return bpf_map_lookup_elem(&march_own_addresses, &line);
}

#include "common/abuse.h"

MARCH_INLINE uint32_t march_is_blocked(const struct march_key* key) {
  uint64_t state = 0;
  const uint32_t top = march_block_may_list(key->family, key->src_hi, key->src_lo, &state);
  return top != 0 && march_block_lists(state, key->family, top, key->src_hi, key->src_lo);
}

/* MARCH_JUDGE, or the slot that a packet which was read in full is dropped in. */
MARCH_INLINE uint32_t march_screen(const struct march_key* key, uint64_t bytes) {
  const uint32_t screens = march_config.abuse.screens;
  /* What is learned of these values here, the verifier knows of no others: or it would follow
   * whatever comes next for each of them. */
  struct march_key seen = *key;
  seen.src_hi = MARCH_FORGET_WIDE(seen.src_hi, bytes);
  seen.src_lo = MARCH_FORGET_WIDE(seen.src_lo, bytes);
  seen.dst_hi = MARCH_FORGET_WIDE(seen.dst_hi, bytes);
  seen.dst_lo = MARCH_FORGET_WIDE(seen.dst_lo, bytes);
  seen.l4 = MARCH_FORGET(seen.l4, bytes);
  seen.source_port = MARCH_FORGET(seen.source_port, bytes);
  seen.detail = MARCH_FORGET(seen.detail, bytes);
  if ((screens & MARCH_SCREEN_LAND) != 0 &&
      ((seen.src_hi ^ seen.dst_hi) | (seen.src_lo ^ seen.dst_lo)) == 0) {
    return MARCH_SLOT_LAND;
  }
  if ((screens & MARCH_SCREEN_FLAGS) != 0 && seen.l4 >> 16 == MARCH_PROTO_TCP &&
      march_flags_are_impossible(seen.detail)) {
    return MARCH_SLOT_FLAGS;
  }
  if ((screens & MARCH_SCREEN_MARTIANS) != 0 && march_is_martian(&seen)) return MARCH_SLOT_MARTIAN;
  if ((screens & MARCH_SCREEN_SPOOFED) != 0 &&
      march_is_own(seen.family, seen.src_hi, seen.src_lo)) {
    return MARCH_SLOT_SPOOFED;
  }
  if (march_config.abuse.blocks != 0 && march_is_blocked(&seen)) return MARCH_SLOT_BLOCKED;
  const uint32_t protocol = seen.l4 >> 16 & 0xff;
  if (march_has_rate(MARCH_RATE_SYN) && seen.l4 >> 16 == MARCH_PROTO_TCP &&
      (seen.detail & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == MARCH_TCP_SYN &&
      march_source_exceeds(MARCH_RATE_SYN, seen.family, seen.src_hi, seen.src_lo)) {
    return MARCH_SLOT_SYN_RATE;
  }
  if (march_has_rate(MARCH_RATE_ICMP) &&
      (protocol == MARCH_PROTO_ICMP || protocol == MARCH_PROTO_ICMPV6) &&
      march_source_exceeds(MARCH_RATE_ICMP, seen.family, seen.src_hi, seen.src_lo)) {
    return MARCH_SLOT_ICMP_RATE;
  }
  return MARCH_JUDGE;
}

#endif
