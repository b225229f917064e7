#include "tests/connections/native_gateway.h"

#include <stddef.h>

/* What the functions below work on. */
static _Thread_local struct march_native_gateway* march_gateway;

#define MARCH_INLINE static inline __attribute__((unused))
#define MARCH_OPAQUE(variable) (void)(variable)
#define MARCH_FORGET(value, length) ((void)(length), (uint32_t)(value))
#define MARCH_ROLLED
#define MARCH_UNROLLED
#define MARCH_CONFIG (*march_gateway->config)

static struct march_flow_bucket* march_flow_words(uint32_t bucket) {
  const struct march_flow_config* sizes = &march_gateway->config->flows;
  return bucket < sizes->established + sizes->fresh ? &march_gateway->buckets[bucket] : NULL;
}

static struct march_flow* march_flow_at(uint32_t number) {
  return march_flow_words(number / MARCH_FLOW_LANES) ? &march_gateway->flows[number] : NULL;
}

static void march_flow_statistic(uint32_t which) {
  march_gateway->statistics[which] += 1;
}

#include "bpf-templates/common/flow.h"

static uint32_t march_track(const struct march_native_packet* packet, struct march_track* t) {
  t->now = packet->now;
  t->word = 0;
  t->bytes = packet->bytes;
  t->flags = packet->key.detail;
  if (!march_track_key(t, &packet->key)) return MARCH_TRACK_JUDGE;
  t->hash = march_flow_hash(t);
  if (!march_flow_find_first(t) && !march_flow_find_else(t)) return MARCH_TRACK_JUDGE;
  const struct march_flow* flow = march_flow_at(t->number);
  if (!march_flow_is_settled(t, flow, packet->key.detail)) {
    const uint32_t tracked = march_flow_advance(t, packet->key.detail, packet->numbers);
    if (tracked != MARCH_TRACK_PASS) return tracked;
  }
  march_flow_count(march_flow_at(t->number), t->is_reply, packet->bytes);
  return MARCH_TRACK_PASS;
}

int march_native_decide(struct march_native_gateway* gateway,
                        const struct march_native_packet* packet, march_native_judge judge,
                        const void* policy) {
  march_gateway = gateway;
  struct march_track t = {0};
  t.streak = gateway->streak;
  struct march_key key = packet->key;
  const uint32_t tracked = march_track(packet, &t);
  gateway->streak = t.streak;
  if (tracked == MARCH_TRACK_PASS) return 1;
  if (tracked == MARCH_TRACK_DROP) return 0;
  if (tracked == MARCH_TRACK_AGAIN) march_flow_key(march_flow_at(t.number), &key);
  const uint32_t slot = judge(policy, &key);
  if (tracked == MARCH_TRACK_AGAIN) {
    if (slot) {
      march_flow_confirm(&t, slot, 0);
    } else {
      march_flow_forbid(&t);
    }
  } else if (slot && march_flow_may_open(&t, packet->key.detail)) {
    march_flow_open(&t, slot, 0, packet->key.detail, packet->ifindex);
  }
  return slot != 0;
}
