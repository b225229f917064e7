/* Events in the XDP program (bundle/abi/event.h): in force for the kinds that the gateway asks for
 * (march_config.events). */
#ifndef MARCH_BPF_TEMPLATES_XDP_EVENT_H
#define MARCH_BPF_TEMPLATES_XDP_EVENT_H

#include "common/bpf.h"

#include "bundle/abi/event.h"
#include "bundle/abi/tables.h"
#include "xdp/gateway.h"

MARCH_INLINE uint32_t march_tells_of(uint32_t kind) {
  return march_config.events.intervals[kind] != 0;
}

/* Tells of a packet, or counts that it did not. xdp/event.c */
MARCH_APART int march_tell(struct xdp_md* context, const struct march_key* key, uint32_t slot,
                           uint32_t kind);

#endif
