/* xdp/event.h. The maps are marchd's: they outlive the program. */
#include "xdp/part.h"

#include "xdp/event.h"

#include "bundle/abi/verdict.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_RINGBUF);
  MARCH_MAP_UINT(max_entries, MARCH_EVENT_RING_BYTES);
} march_events SEC(".maps");

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_EVENT_KINDS);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_event_budget);
} march_event_budgets SEC(".maps");

MARCH_INLINE void march_fill_event(struct march_event* event, const struct xdp_md* context,
                                   const struct march_key* key) {
  event->src_hi = key->src_hi;
  event->src_lo = key->src_lo;
  event->dst_hi = key->dst_hi;
  event->dst_lo = key->dst_lo;
  event->l4 = key->l4;
  event->source_port = key->source_port;
  event->family = key->family;
  event->detail = key->detail;
  event->generation = march_config.flows.generation;
  event->ifindex = context->ingress_ifindex;
  event->bytes = (uint32_t)((uint64_t)context->data_end - (uint64_t)context->data);
  event->cpu = bpf_get_smp_processor_id();
}

MARCH_APART int march_tell(struct xdp_md* context, const struct march_key* key, uint32_t slot,
                           uint32_t kind) {
  if (!march_tells_of(MARCH_EVENT_DROP) && !march_tells_of(MARCH_EVENT_ALLOW)) return 0;
  if (!context || !key || kind >= MARCH_EVENT_KINDS) return 0;
  struct march_event_budget* budget = bpf_map_lookup_elem(&march_event_budgets, &kind);
  if (!budget) return 0;
  const uint64_t now = bpf_ktime_get_coarse_ns();
  if (budget->next > now) {
    budget->untold += 1;
    march_statistic(MARCH_STATISTIC_EVENTS_SUPPRESSED + kind);
    return 0;
  }
  const uint64_t interval = kind == MARCH_EVENT_DROP
                                ? march_config.events.intervals[MARCH_EVENT_DROP]
                                : march_config.events.intervals[MARCH_EVENT_ALLOW];
  const uint64_t soon = now + interval; /* intervals are no longer than the burst */
  const uint64_t earliest = soon < MARCH_EVENT_BURST ? 0 : soon - MARCH_EVENT_BURST;
  budget->next = (budget->next < earliest ? earliest : budget->next) + interval;
  struct march_event* event = bpf_ringbuf_reserve(&march_events, sizeof(*event), 0);
  if (!event) {
    budget->untold += 1;
    march_statistic(MARCH_STATISTIC_EVENTS_LOST + kind);
    return 0;
  }
  march_fill_event(event, context, key);
  event->time = bpf_ktime_get_ns();
  event->untold = budget->untold;
  event->slot = slot;
  event->action = kind == MARCH_EVENT_DROP ? MARCH_ACTION_DENY : MARCH_ACTION_ALLOW;
  budget->untold = 0;
  bpf_ringbuf_submit(event, 0);
  march_statistic(MARCH_STATISTIC_EVENTS_TOLD + kind);
  return 0;
}
