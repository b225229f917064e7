/* The XDP program: read the frame, judge it by the tables, count it (bundle/abi/verdict.h).
 * Included at the end of a generated program, which has defined `march_policy_shape`, MARCH_LINES,
 * MARCH_SLOTS, and, each as 0 or 1, what the policy uses:
 *   MARCH_STATEFUL    a mapping, or the default, keeps connections
 *   MARCH_TREATMENTS  a mapping, or the default, asks for more than allow or deny
 *   MARCH_LIMITS      a mapping has a limit
 *   MARCH_REJECTS     a mapping rejects */
#ifndef MARCH_BPF_TEMPLATES_XDP_PROGRAM_H
#define MARCH_BPF_TEMPLATES_XDP_PROGRAM_H

#include "common/bpf.h"

#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "common/packet.h"

/* All lines, with room up to a round number of them, so that a change of policy seldom changes the
 * program. One value, so that one look-up gives an address that all others are counted from. */
struct march_lines {
  uint64_t words[(uint64_t)MARCH_LINES * MARCH_LINE_WORDS];
};

/* Filled by the loader, then frozen. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_lines);
} march_tables SEC(".maps");

/* The loader makes it as many times as large as there are CPUs: bundle/abi/verdict.h. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_COUNTER_BLOCK(MARCH_SLOTS));
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_counters SEC(".maps");

typedef const struct march_lines* march_tables_ref;

MARCH_INLINE const uint64_t* march_line(march_tables_ref tables, uint32_t index) {
  /* Compared as it is used, or the verifier cannot tell that the address is inside; nor can it
   * before Linux 6.9, if it was put on the stack before it was compared. */
  MARCH_OPAQUE(index);
  if (index >= MARCH_LINES) return 0;
  uint64_t line = index;
  MARCH_OPAQUE(line);
  return tables->words + line * MARCH_LINE_WORDS;
}

MARCH_INLINE march_tables_ref march_find_tables(void) {
  const uint32_t zero = 0;
  return bpf_map_lookup_elem(&march_tables, &zero);
}

#include "common/leaf.h"

/* A function of its own to the verifier too, which looks at it once. */
MARCH_APART int march_weigh_out_of_line(struct march_weighing* w) {
  const march_tables_ref tables = march_find_tables();
  if (w && tables) march_weigh_leaf(tables, &march_policy_shape, w);
  return 0;
}

#define march_weigh_any(tables, shape, w) march_weigh_out_of_line(w)

#include "common/walk.h"

/* This CPU's. `at` is below the entries of a block. */
MARCH_INLINE uint64_t* march_counter_entry(uint32_t at) {
  const uint32_t place = bpf_get_smp_processor_id() * MARCH_COUNTER_BLOCK(MARCH_SLOTS) + at;
  return bpf_map_lookup_elem(&march_counters, &place);
}

/* Once in 2^21 packets of a slot, so it is out of the way of the others. */
MARCH_APART int march_spill_out_of_line(uint32_t slot, uint64_t full) {
  if (slot >= MARCH_SLOTS) return 0;
  uint64_t* word = march_counter_entry(slot);
  uint64_t* packets = march_counter_entry(MARCH_COUNTER_WIDE(MARCH_SLOTS, slot));
  uint64_t* bytes = march_counter_entry(MARCH_COUNTER_WIDE(MARCH_SLOTS, slot) + 1);
  if (word && packets && bytes) march_word_spill(word, packets, bytes, full);
  return 0;
}

MARCH_INLINE void march_count(uint32_t slot, uint64_t bytes) {
  if (slot >= MARCH_SLOTS) return;
  uint64_t* word = march_counter_entry(slot);
  if (!word) return;
  const uint64_t before = *word;
  const uint64_t next = march_word_add(before, bytes);
  if (__builtin_expect(march_word_is_full(before, next), 0)) {
    march_spill_out_of_line(slot, next);
  } else {
    *word = next;
  }
}

#include "xdp/event.h"
#include "xdp/gateway.h"

#include "common/treatment.h"
#include "xdp/limits.h"

#include "xdp/abuse.h"
#include "xdp/forward.h"
#include "xdp/interfaces.h"
#include "xdp/reject.h"

#if MARCH_STATEFUL
#include "xdp/connections.h"
#endif

/* Of a packet that was read in full. */
MARCH_INLINE uint32_t march_judge(const struct march_key* key, uint64_t bytes, uint32_t* audit) {
  const march_tables_ref tables = march_find_tables();
  *audit = 0;
  if (!tables) return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  struct march_key judged = *key;
  /* What the headers were is the same to the verifier from here on: or it would follow the whole
   * walk again for each way in which they can be read. */
  judged.l4 = MARCH_FORGET(judged.l4, bytes);
  judged.source_port = MARCH_FORGET(judged.source_port, bytes);
  return march_classify(tables, &march_policy_shape, &judged, audit);
}

/* What the mapping that gave a verdict asks for beyond it. */
MARCH_INLINE uint64_t march_treatment_of(uint32_t verdict) {
  (void)verdict;
#if MARCH_TREATMENTS
  const march_tables_ref tables = march_find_tables();
  if (tables) return march_treatment(tables, MARCH_VERDICT_SLOT(verdict));
#endif
  return 0;
}

#if MARCH_LIMITS
/* The verdict on a packet whose mapping allows it, once its limits were asked. */
MARCH_INLINE uint32_t march_limit(struct xdp_md* context, const struct march_key* key,
                                  uint64_t treatment, uint32_t is_new_flow, uint64_t bytes,
                                  uint32_t verdict) {
  if (MARCH_TREATMENT_LIMIT(treatment) == 0) return verdict;
  const uint32_t result =
      (uint32_t)march_limit_packet(context, key, (uint32_t)treatment, is_new_flow);
  if (result == MARCH_LIMIT_ADMITTED) return verdict;
  march_count(MARCH_LIMIT_COUNTER(result), bytes);
  if (MARCH_LIMIT_ACTION(result) == MARCH_LIMIT_MARK) return verdict;
  return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_LIMIT);
}
#endif

#if MARCH_STATEFUL
/* A connection's key comes out of the packet or out of memory, and much is known of what was found
 * before: looked at once, by itself, the walk is the same for all. */
MARCH_APART int march_judge_out_of_line(const struct march_key* key, uint32_t* audit) {
  if (!key || !audit) return 0;
  return (int)march_judge(key, (uint64_t)key->l4_bytes, audit);
}
#define march_judge_any(key, bytes, audit) (uint32_t)march_judge_out_of_line(key, audit)
#else
#define march_judge_any(key, bytes, audit) march_judge(key, bytes, audit)
#endif

#if MARCH_STATEFUL
/* What is left to judge of a packet after its connection was looked for; its connection's key, if
 * that has to be judged again. */
MARCH_INLINE uint32_t march_consult_flow(struct xdp_md* context, struct march_key* key,
                                         struct march_track* t, uint64_t bytes, uint32_t* verdict,
                                         uint32_t* audit) {
  uint32_t slot = 0;
  const uint32_t tracked = march_track_packet(context, key, t, bytes, &slot, audit);
  if (tracked == MARCH_TRACK_PASS) {
    if (key->fragment && (key->l4 & MARCH_L4_FRAGMENT) == 0) {
      march_open_fragments(t, slot, key->fragment_id, context->ingress_ifindex);
    }
    *verdict = MARCH_VERDICT(MARCH_ACTION_ALLOW, slot);
  } else if (tracked == MARCH_TRACK_DROP) {
    *verdict = MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_CUT);
  } else if (tracked == MARCH_TRACK_AGAIN) {
    const struct march_flow* flow = march_flow_at(t->number);
    /* Fragments are judged as what they are. */
    if (!flow || MARCH_FLOW_KIND(flow->l4) == MARCH_KIND_FRAGMENTS) return MARCH_TRACK_JUDGE;
    march_flow_key(flow, key);
  }
  return tracked;
}

/* Whether a packet of no flow begins one. Where none are kept, only TCP shows it. */
MARCH_INLINE uint32_t march_is_first(const struct march_key* key, const struct march_track* t) {
  if (march_keeps_flows()) return march_flow_may_open(t, key->detail);
  return key->l4 >> 16 == MARCH_PROTO_TCP &&
         (key->detail & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == MARCH_TCP_SYN;
}

/* What a verdict means for the connection that was judged again: whether it may go on. */
MARCH_INLINE void march_record_verdict(struct march_track* t, uint32_t verdict, uint32_t may_keep,
                                       uint32_t audit) {
  if (may_keep) {
    march_confirm_flow(t, MARCH_VERDICT_SLOT(verdict), audit);
  } else {
    march_forbid_flow(t);
  }
}

MARCH_INLINE void march_begin_flow(struct xdp_md* context, const struct march_key* key,
                                   struct march_track* t, uint32_t slot, uint32_t audit) {
  const uint32_t is_new =
      (uint32_t)march_open_flow(t, slot, audit, key->detail, context->ingress_ifindex);
  if (march_tells_of(MARCH_EVENT_ALLOW) && is_new) {
    march_tell(context, key, slot, MARCH_EVENT_ALLOW);
  }
  if (key->fragment) march_open_fragments(t, slot, key->fragment_id, context->ingress_ifindex);
}
#endif

/* Of a packet that was read in full. */
MARCH_INLINE uint32_t march_decide(struct xdp_md* context, struct march_key* key, uint64_t bytes,
                                   uint32_t* audit) {
  uint32_t verdict = 0;
#if MARCH_STATEFUL
  struct march_track* t = 0;
  uint32_t tracked = MARCH_TRACK_JUDGE;
  uint32_t is_answer = 0;
  if (march_keeps_flows()) {
    struct march_scratch* scratch = march_find_scratch();
    if (!scratch) return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
    t = &scratch->track;
    const uint32_t is_error = march_is_icmp_error(key);
    /* As in march_judge. */
    key->l4 = MARCH_FORGET(key->l4, bytes);
    key->source_port = MARCH_FORGET(key->source_port, bytes);
    key->family = MARCH_FORGET(key->family, bytes);
    key->fragment = MARCH_FORGET(key->fragment, bytes);
    key->fragment_id = MARCH_FORGET(key->fragment_id, bytes);
    key->l4_at = MARCH_FORGET(key->l4_at, bytes);
    key->detail = MARCH_FORGET(key->detail, bytes);
    tracked = march_consult_flow(context, key, t, bytes, &verdict, audit);
    if (tracked == MARCH_TRACK_DROP) return verdict;
    if (tracked != MARCH_TRACK_JUDGE) is_answer = t->is_reply | is_error;
  }
  if (tracked != MARCH_TRACK_PASS)
#endif
    verdict = march_judge_any(key, bytes, audit);
  const uint32_t is_allowed = MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW;
  const uint64_t treatment = march_treatment_of(verdict);
#if MARCH_STATEFUL
  const uint32_t keeps_flow = is_allowed && (treatment & MARCH_TREATMENT_STATELESS) == 0;
  const uint32_t is_new_flow = keeps_flow && tracked == MARCH_TRACK_JUDGE && march_is_first(key, t);
  if (march_keeps_flows() && tracked == MARCH_TRACK_AGAIN) {
    march_record_verdict(t, verdict, keeps_flow, *audit);
  }
#else
  const uint32_t is_answer = 0;
  const uint32_t is_new_flow = 0;
#endif
#if MARCH_STATEFUL
  if (march_gives_cookies() && is_new_flow && key->l4 >> 16 == MARCH_PROTO_TCP &&
      march_must_prove(context, key)) {
    return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_COOKIE);
  }
#endif
  if (march_has_rate(MARCH_RATE_FLOWS) && is_new_flow &&
      march_source_exceeds(MARCH_RATE_FLOWS, key->family, key->src_hi, key->src_lo)) {
    return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FLOW_RATE);
  }
  (void)treatment;
  (void)is_answer;
  (void)is_new_flow;
#if MARCH_LIMITS
  if (march_keeps_limits() && is_allowed && !is_answer) {
    verdict = march_limit(context, key, treatment, is_new_flow, bytes, verdict);
  }
#endif
#if MARCH_STATEFUL
  if (march_keeps_flows() && is_new_flow && MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW) {
    march_begin_flow(context, key, t, MARCH_VERDICT_SLOT(verdict), *audit);
  }
#endif
  return verdict;
}

/* What becomes of a packet that may pass, by the slot that it counts in. */
MARCH_INLINE int march_let_pass(struct xdp_md* context, uint32_t slot) {
  if (!march_config.forward.fast || slot < MARCH_SLOT_DEFAULT) return XDP_PASS;
  return march_forward(context);
}

MARCH_INLINE uint32_t march_is_answered(uint32_t slot) {
#if MARCH_REJECTS
  const uint64_t treatment = march_treatment_of(MARCH_VERDICT(MARCH_ACTION_DENY, slot));
  if (treatment & MARCH_TREATMENT_REJECT) return 1;
#endif
  return slot >= MARCH_SLOT_DEFAULT && march_config.reject.all_denied;
}

/* What becomes of one that may not. */
MARCH_INLINE int march_let_drop(struct xdp_md* context, const struct march_key* key,
                                uint32_t slot) {
#if MARCH_STATEFUL
  if (march_gives_cookies() && slot == MARCH_SLOT_COOKIE) return march_answer_cookie(context, key);
#endif
  if (march_config.reject.interval == 0 || !march_is_answered(slot)) return XDP_DROP;
  return march_answer(context, key->l4_at, key->l4_bytes);
}

SEC("xdp")
int march_xdp(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  uint64_t bytes = (uint64_t)(end - data);
  MARCH_OPAQUE(bytes);
  uint32_t slot = march_read_frame(data, end, &key);
  uint32_t action = MARCH_ACTION_DENY;
  if (slot == MARCH_JUDGE) slot = march_screen(&key, bytes);
  if (slot == MARCH_JUDGE) {
    uint32_t audit = 0;
    const uint32_t verdict = march_decide(context, &key, bytes, &audit);
    if (audit != 0) march_count(audit, bytes);
    slot = MARCH_VERDICT_SLOT(verdict);
    action = MARCH_VERDICT_ACTION(verdict);
  } else if (slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR) {
    action = MARCH_ACTION_ALLOW;
  }
  march_count(slot, bytes);
  if (march_tells_of(MARCH_EVENT_DROP) && action != MARCH_ACTION_ALLOW) {
    march_tell(context, &key, slot, MARCH_EVENT_DROP);
  }
  return action == MARCH_ACTION_ALLOW ? march_let_pass(context, slot)
                                      : march_let_drop(context, &key, slot);
}

char march_license[] SEC("license") = "GPL";

#endif
