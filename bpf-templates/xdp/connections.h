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

#include "bundle/abi/flow.h"
#include "xdp/cookie.h"
#include "xdp/gateway.h"

MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_flow_bucket);
} march_flow_buckets MARCH_MAPS;

/* Its size is marchd's to say. What stands here tells marchd which form the program knows. */
MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_FLOW_FORM);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_flow);
} march_flows MARCH_MAPS;

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
_Static_assert(sizeof(struct march_scratch) == MARCH_SCRATCH_BYTES, "as marchd makes the map");

MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_scratch);
} march_scratch MARCH_MAPS;

MARCH_INLINE struct march_scratch* march_find_scratch(void) {
  const uint32_t zero = 0;
  return bpf_map_lookup_elem(&march_scratch, &zero);
}

MARCH_INLINE uint32_t march_keeps_flows(void) {
  return march_config.flows.established != 0;
}

/* In the other places where it can be. xdp/connections.c, as all that only some packets need. */
MARCH_APART int march_find_flow_else(struct march_track* t);

MARCH_INLINE uint32_t march_find_flow(struct march_track* t) {
  return march_flow_find_first(t) || march_find_flow_else(t);
}

/* Out of the way of packets that change nothing. */
MARCH_APART int march_advance_flow(struct xdp_md* context, struct march_track* t, uint32_t l4_at,
                                   uint32_t flags);

/* 1: it was made. */
MARCH_APART int march_open_flow(struct march_track* t, uint32_t slot, uint32_t audit,
                                uint32_t flags, uint32_t ifindex);

MARCH_APART int march_confirm_flow(struct march_track* t, uint32_t slot, uint32_t audit);

/* A later policy forbids it. */
MARCH_APART int march_forbid_flow(const struct march_track* t);

/* Later fragments of a packet whose first one passed pass with it. */
MARCH_APART int march_open_fragments(const struct march_track* first, uint32_t slot, uint32_t id,
                                     uint32_t ifindex);

MARCH_INLINE uint32_t march_is_icmp_error(const struct march_key* key) {
  const uint32_t type = key->l4 >> 8 & 0xff;
  if (key->l4 & MARCH_L4_FRAGMENT) return 0;
  if (key->l4 >> 16 == MARCH_PROTO_ICMPV6) return type >= 1 && type <= 4;
  return key->l4 >> 16 == MARCH_PROTO_ICMP && (type == 3 || type == 11 || type == 12);
}

/* The flow that an error of ICMP is about, if the error, which is what `t` has of it, goes where
 * the packet came from. `t` is then the packet's. */
MARCH_APART int march_find_related(struct xdp_md* context, struct march_track* t, uint32_t family,
                                   uint32_t l4_at);

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
  march_flow_count(flow, t->is_reply, (uint32_t)bytes);
  *slot = MARCH_FLOW_SLOT(flow->judged);
  *audit = t->is_reply ? 0 : flow->audit;
  return MARCH_TRACK_PASS;
}

#endif
