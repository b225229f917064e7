/* Flows as the programs keep them, by the very functions of bpf-templates/common/flow.h, compiled
 * for the host. Places are taken by compare-and-swap, so packets may come meanwhile. */
#ifndef MARCH_RUNTIME_FLOWS_NATIVE_FLOW_H
#define MARCH_RUNTIME_FLOWS_NATIVE_FLOW_H

#include "bundle/abi/config.h"
#include "bundle/abi/flow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MARCH_NATIVE_NO_FLOW 0xffffffffu

/* Of the sizes that `config->flows` says, hashed with `config->secret`. */
struct march_native_flows {
  const struct march_config* config;
  struct march_flow_bucket* buckets;
  struct march_flow* flows;
};

/* In ticks: how long a flow in this state (MARCH_FLOW_STATE) lives when nothing comes. */
uint32_t march_native_flow_timeout(const struct march_config* config, uint64_t l4, uint32_t state);

/* The number of the living flow between the same ends in the same direction, or
 * MARCH_NATIVE_NO_FLOW. */
uint32_t march_native_find_flow(const struct march_native_flows* table,
                                const struct march_flow* wanted, uint32_t now);

/* Gives the flow, which is not in the table, a place in it until `deadline`; an established one
 * among the new ones if there is no room left. Its number, or MARCH_NATIVE_NO_FLOW: there was no
 * place at all. New flows make room for newer ones. */
uint32_t march_native_insert_flow(const struct march_native_flows* table,
                                  const struct march_flow* flow, uint32_t deadline, uint32_t now);

/* To be called before the flow, which has the number `number`, is made to live until `deadline`, or
 * it would not be found for so long. */
void march_native_note_spill(const struct march_native_flows* table, const struct march_flow* flow,
                             uint32_t number, uint32_t deadline);

#ifdef __cplusplus
}
#endif

#endif
