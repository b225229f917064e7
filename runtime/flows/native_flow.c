#include "runtime/flows/native_flow.h"

#include <stddef.h>

/* What the functions below work on. */
static _Thread_local const struct march_native_flows* march_table;

#define MARCH_INLINE static inline __attribute__((unused))
#define MARCH_OPAQUE(variable) (void)(variable)
#define MARCH_FORGET(value, length) ((void)(length), (uint32_t)(value))
#define MARCH_ROLLED
#define MARCH_UNROLLED
#define MARCH_CONFIG (*march_table->config)

static struct march_flow_bucket* march_flow_words(uint32_t bucket) {
  const struct march_flow_config* sizes = &march_table->config->flows;
  return bucket < sizes->established + sizes->fresh ? &march_table->buckets[bucket] : NULL;
}

static struct march_flow* march_flow_at(uint32_t number) {
  return march_flow_words(number / MARCH_FLOW_LANES) ? &march_table->flows[number] : NULL;
}

/* Packets count; what marchd does does not. */
static void march_flow_statistic(uint32_t which) {
  (void)which;
}

#include "bpf-templates/common/flow.h"

/* As of the first packet of the flow. */
static struct march_track march_track_of(const struct march_flow* flow, uint32_t now) {
  struct march_track t = {0};
  t.src_hi = flow->src_hi;
  t.src_lo = flow->src_lo;
  t.dst_hi = flow->dst_hi;
  t.dst_lo = flow->dst_lo;
  t.l4 = flow->l4;
  t.number = MARCH_NO_FLOW;
  t.vacant = MARCH_NO_FLOW;
  t.directions = MARCH_DIRECTION_FORWARD;
  t.now = now;
  t.hash = march_flow_hash(&t);
  return t;
}

uint32_t march_native_flow_timeout(const struct march_config* config, uint64_t l4, uint32_t state) {
  const struct march_native_flows table = {config, NULL, NULL};
  march_table = &table;
  const uint32_t timeout = march_flow_timeout(l4, state);
  march_table = NULL;
  return timeout;
}

uint32_t march_native_find_flow(const struct march_native_flows* table,
                                const struct march_flow* wanted, uint32_t now) {
  march_table = table;
  struct march_track t = march_track_of(wanted, now);
  const uint32_t is_there = march_flow_find_first(&t) || march_flow_find_else(&t);
  march_table = NULL;
  return is_there ? t.number : MARCH_NATIVE_NO_FLOW;
}

static uint32_t march_insert_among(const struct march_track* t, const struct march_flow* flow,
                                   uint32_t state, uint32_t deadline, uint32_t is_fresh) {
  uint32_t number = MARCH_NATIVE_NO_FLOW;
  uint64_t* word = march_flow_take(t, is_fresh, &number);
  struct march_flow* place = word ? march_flow_at(number) : NULL;
  if (!place) return MARCH_NATIVE_NO_FLOW;
  march_flow_copy(place, flow);
  place->judged = (flow->judged & ~0xffull) | state;
  march_flow_publish(t, word, number, deadline);
  return number;
}

uint32_t march_native_insert_flow(const struct march_native_flows* table,
                                  const struct march_flow* flow, uint32_t deadline, uint32_t now) {
  march_table = table;
  const struct march_track t = march_track_of(flow, now);
  const uint32_t state = MARCH_FLOW_STATE(flow->judged);
  uint32_t number = MARCH_NATIVE_NO_FLOW;
  if (state & MARCH_FLOW_ESTABLISHED) {
    number = march_insert_among(&t, flow, state, deadline, 0);
  }
  if (number == MARCH_NATIVE_NO_FLOW) {
    number = march_insert_among(&t, flow, state & ~MARCH_FLOW_ESTABLISHED, deadline, 1);
  }
  march_table = NULL;
  return number;
}

void march_native_note_spill(const struct march_native_flows* table, const struct march_flow* flow,
                             uint32_t number, uint32_t deadline) {
  march_table = table;
  const struct march_track t = march_track_of(flow, 0);
  march_flow_note_spill(&t, number, deadline);
  march_table = NULL;
}
