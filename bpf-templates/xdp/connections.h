/* Connections in the XDP program: which packets pass because their flow may (common/flow.h).
 * Compiled in when the policy has a mapping that keeps them (MARCH_STATEFUL), in force when the
 * gateway keeps them (march_config.flows).
 *
 * The maps are marchd's: they outlive the program, which is given them when it is loaded. A
 * function of its own is looked at by verifiers before Linux 6.8 even if nothing calls it, so each
 * asks first whether connections are kept at all: there may be no maps. */
#ifndef MARCH_BPF_TEMPLATES_XDP_CONNECTIONS_H
#define MARCH_BPF_TEMPLATES_XDP_CONNECTIONS_H

#include "common/bpf.h"

#include "bundle/abi/config.h"
#include "bundle/abi/flow.h"
#include "xdp/cookie.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_flow_bucket);
} march_flow_buckets SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_flow);
} march_flows SEC(".maps");

MARCH_INLINE struct march_flow_bucket* march_flow_words(uint32_t bucket) {
  return bpf_map_lookup_elem(&march_flow_buckets, &bucket);
}

MARCH_INLINE struct march_flow* march_flow_at(uint32_t number) {
  return bpf_map_lookup_elem(&march_flows, &number);
}

#define march_flow_statistic(which) march_statistic(which)

#include "common/flow.h"

/* What would not fit on the stack; nothing in it outlives a packet. */
struct march_scratch {
  struct march_track track;     /* of the packet */
  struct march_track fragments; /* of the rest of it */
  struct march_key quoted;      /* by an error of ICMP */
};

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_scratch);
} march_scratch SEC(".maps");

MARCH_INLINE struct march_scratch* march_find_scratch(void) {
  const uint32_t zero = 0;
  return bpf_map_lookup_elem(&march_scratch, &zero);
}

MARCH_INLINE uint32_t march_keeps_flows(void) {
  return march_config.flows.established != 0;
}

__attribute__((noinline)) int march_find_flow_else(struct march_track* t) {
  return march_keeps_flows() && t ? (int)march_flow_find_else(t) : 0;
}

MARCH_INLINE uint32_t march_find_flow(struct march_track* t) {
  return march_flow_find_first(t) || march_find_flow_else(t);
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

/* Out of the way of packets that change nothing. */
__attribute__((noinline)) int march_advance_flow(struct xdp_md* context, struct march_track* t,
                                                 uint32_t l4_at, uint32_t flags) {
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

/* 1: it was made. */
__attribute__((noinline)) int march_open_flow(struct march_track* t, uint32_t slot, uint32_t audit,
                                              uint32_t flags, uint32_t ifindex) {
  if (!march_keeps_flows() || !t) return 0;
  return march_flow_open(t, slot, audit, flags, ifindex) != MARCH_NO_FLOW;
}

__attribute__((noinline)) int march_confirm_flow(struct march_track* t, uint32_t slot,
                                                 uint32_t audit) {
  if (march_keeps_flows() && t) march_flow_confirm(t, slot, audit);
  return 0;
}

/* A later policy forbids it. */
__attribute__((noinline)) int march_forbid_flow(const struct march_track* t) {
  if (march_keeps_flows() && t) march_flow_forbid(t);
  return 0;
}

/* Later fragments of a packet whose first one passed pass with it. */
__attribute__((noinline)) int march_open_fragments(const struct march_track* first, uint32_t slot,
                                                   uint32_t id, uint32_t ifindex) {
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

MARCH_INLINE uint32_t march_is_icmp_error(const struct march_key* key) {
  const uint32_t type = key->l4 >> 8 & 0xff;
  if (key->l4 & MARCH_L4_FRAGMENT) return 0;
  if (key->l4 >> 16 == MARCH_PROTO_ICMPV6) return type >= 1 && type <= 4;
  return key->l4 >> 16 == MARCH_PROTO_ICMP && (type == 3 || type == 11 || type == 12);
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

/* The flow that an error of ICMP is about, if the error, which is what `t` has of it, goes where
 * the packet came from. `t` is then the packet's. */
__attribute__((noinline)) int march_find_related(struct xdp_md* context, struct march_track* t,
                                                 uint32_t family, uint32_t l4_at) {
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

/* MARCH_TRACK_*, and with MARCH_TRACK_PASS the packet has been counted for its flow. */
MARCH_INLINE uint32_t march_track_packet(struct xdp_md* context, const struct march_key* key,
                                         struct march_track* t, uint64_t bytes, uint32_t* slot,
                                         uint32_t* audit) {
  t->now = march_tick();
  t->word = 0;
  t->bytes = (uint32_t)bytes;
  t->flags = key->detail;
  uint32_t is_related = 0;
  if (march_track_key(t, key)) {
    t->hash = march_flow_hash(t);
    if (!march_find_flow(t)) return MARCH_TRACK_JUDGE;
  } else {
    t->flags = 0;
    is_related =
        march_is_icmp_error(key) && march_find_related(context, t, key->family, key->l4_at);
    if (!is_related) {
      /* Or it would open what it quotes. */
      t->directions = 0;
      return MARCH_TRACK_JUDGE;
    }
  }
  struct march_flow* flow = march_flow_at(t->number);
  if (!flow) return MARCH_TRACK_JUDGE;
  if (is_related) {
    if (MARCH_FLOW_STATE(flow->judged) & MARCH_FLOW_CUT) return MARCH_TRACK_DROP;
    if (MARCH_FLOW_GENERATION(flow->judged) != march_config.flows.generation) {
      return MARCH_TRACK_AGAIN;
    }
    march_statistic(MARCH_STATISTIC_RELATED);
  } else if (!march_flow_is_settled(t, flow, key->detail)) {
    const uint32_t tracked = (uint32_t)march_advance_flow(context, t, key->l4_at, key->detail);
    if (tracked != MARCH_TRACK_PASS) return tracked;
    flow = march_flow_at(t->number);
    if (!flow) return MARCH_TRACK_JUDGE;
  }
  march_flow_count(flow, t->is_reply, bytes);
  *slot = MARCH_FLOW_SLOT(flow->judged);
  *audit = t->is_reply ? 0 : flow->audit;
  return MARCH_TRACK_PASS;
}

#endif
