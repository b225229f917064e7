/* xdp/connections.h */
#include "xdp/part.h"

#include "xdp/connections.h"

MARCH_APART int march_find_flow_else(struct march_track* t) {
  return march_keeps_flows() && t ? (int)march_flow_find_else(t) : 0;
}

/* Who has opened a connection that is now established is real if it acknowledges what only it can
 * know. */
MARCH_INLINE void march_prove_opener(const struct march_track* t, uint32_t acknowledged) {
  const struct march_flow* flow = march_flow_at(t->number);
  if (!flow || MARCH_FLOW_PROTOCOL(t->l4) != MARCH_PROTO_TCP) return;
  if ((MARCH_FLOW_STATE(flow->judged) & MARCH_FLOW_SYN) == 0) return;
  if (acknowledged != flow->isn + 1) return;
  march_take_for_real((uint32_t)MARCH_FLOW_FAMILY(t->l4), t->src_hi, t->src_lo);
}

MARCH_APART int march_advance_flow(struct xdp_md* context, struct march_track* t, uint32_t l4_at,
                                   uint32_t flags) {
  if (!march_keeps_flows() || !context || !t) return MARCH_TRACK_JUDGE;
  uint64_t numbers = 0;
  if (MARCH_FLOW_PROTOCOL(t->l4) == MARCH_PROTO_TCP) {
    const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
    const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
    const uint8_t* l4 = data + (l4_at & MARCH_MAX_L4_AT);
    if (l4 + 20 <= end) numbers = march_be64(l4 + 4);
  }
  const uint32_t before = t->number;
  const uint32_t tracked = march_flow_advance(t, flags, numbers);
  if (march_gives_cookies() && t->number != before) march_prove_opener(t, (uint32_t)numbers);
  return (int)tracked;
}

MARCH_APART int march_open_flow(struct march_track* t, uint32_t slot, uint32_t audit,
                                uint32_t flags, uint32_t ifindex) {
  if (!march_keeps_flows() || !t) return 0;
  return march_flow_open(t, slot, audit, flags, ifindex) != MARCH_NO_FLOW;
}

MARCH_APART int march_confirm_flow(struct march_track* t, uint32_t slot, uint32_t audit) {
  if (march_keeps_flows() && t) march_flow_confirm(t, slot, audit);
  return 0;
}

MARCH_APART int march_forbid_flow(const struct march_track* t) {
  if (march_keeps_flows() && t) march_flow_forbid(t);
  return 0;
}

MARCH_APART int march_open_fragments(const struct march_track* first, uint32_t slot, uint32_t id,
                                     uint32_t ifindex) {
  if (!march_keeps_flows() || !first) return 0;
  struct march_scratch* scratch = march_find_scratch();
  if (!scratch) return 0;
  struct march_track* t = &scratch->fragments;
  *t = *first;
  t->l4 = MARCH_FLOW_L4(id & 0xffff, id >> 16, MARCH_FLOW_PROTOCOL(first->l4), MARCH_KIND_FRAGMENTS,
                        MARCH_FLOW_FAMILY(first->l4));
  t->directions = MARCH_DIRECTION_FORWARD;
  t->bytes = 0;
  t->hash = march_flow_hash(t);
  if (!march_find_flow(t)) march_flow_open(t, slot, 0, 0, ifindex);
  return 0;
}

/* The ports or identifier at `l4`, of which RFC 792 promises eight bytes. */
MARCH_INLINE void march_read_quoted_l4(const uint8_t* l4, uint32_t protocol,
                                       struct march_key* quoted) {
  if (protocol == MARCH_PROTO_ICMP || protocol == MARCH_PROTO_ICMPV6) {
    quoted->l4 = MARCH_L4_KEY(protocol, MARCH_ICMP_PORT(l4[0], l4[1]));
    quoted->detail = march_be16(l4 + 4);
    return;
  }
  const uint32_t has_ports =
      protocol == MARCH_PROTO_TCP || protocol == MARCH_PROTO_UDP || protocol == MARCH_PROTO_SCTP;
  quoted->l4 = MARCH_L4_KEY(protocol, has_ports ? march_be16(l4 + 2) : 0);
  quoted->source_port = has_ports ? march_be16(l4) : 0;
}

/* The packet that an error of ICMP is about (RFC 792, 4443). 1: read. */
MARCH_INLINE uint32_t march_read_quoted(const uint8_t* ip, const uint8_t* end,
                                        struct march_key* quoted) {
  if (quoted->family == 4) {
    if (ip + 20 > end || (ip[0] >> 4) != 4) return 0;
    const uint32_t header = (uint32_t)(ip[0] & 15) * 4;
    if (header < 20 || (march_be16(ip + 6) & 0x1fff) != 0) return 0;
    const uint8_t* l4 = ip + header;
    if (l4 + 8 > end) return 0;
    quoted->src_lo = march_be32(ip + 12);
    quoted->dst_lo = march_be32(ip + 16);
    march_read_quoted_l4(l4, ip[9], quoted);
    return 1;
  }
  if (ip + 48 > end || (ip[0] >> 4) != 6) return 0;
  quoted->src_hi = march_be64(ip + 8);
  quoted->src_lo = march_be64(ip + 16);
  quoted->dst_hi = march_be64(ip + 24);
  quoted->dst_lo = march_be64(ip + 32);
  march_read_quoted_l4(ip + 40, ip[6], quoted);
  return 1;
}

MARCH_APART int march_find_related(struct xdp_md* context, struct march_track* t, uint32_t family,
                                   uint32_t l4_at) {
  if (!march_keeps_flows() || !context || !t) return 0;
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_scratch* scratch = march_find_scratch();
  if (!scratch) return 0;
  struct march_key* quoted = &scratch->quoted;
  __builtin_memset(quoted, 0, sizeof(*quoted));
  quoted->family = family;
  if (!march_read_quoted(data + (l4_at & MARCH_MAX_L4_AT) + 8, end, quoted)) return 0;
  if (quoted->src_hi != t->dst_hi || quoted->src_lo != t->dst_lo) return 0;
  if (!march_track_key(t, quoted)) return 0;
  t->hash = march_flow_hash(t);
  return march_find_flow(t) ? 1 : 0;
}
