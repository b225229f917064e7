/* What the XDP program does with a packet's connection, compiled for the host: the functions of
 * bpf-templates/common/flow.h in the order of bpf-templates/xdp/program.h. ICMP errors about a
 * connection, fragments and limits are left out. */
#ifndef MARCH_TESTS_CONNECTIONS_NATIVE_GATEWAY_H
#define MARCH_TESTS_CONNECTIONS_NATIVE_GATEWAY_H

#include "bundle/abi/config.h"
#include "bundle/abi/flow.h"
#include "bundle/abi/tables.h"

#ifdef __cplusplus
extern "C" {
#endif

struct march_native_gateway {
  const struct march_config* config;
  struct march_flow_bucket* buckets;
  struct march_flow* flows;
  uint64_t statistics[MARCH_STATISTICS];
  uint32_t streak; /* of the last packet's march_track */
};

struct march_native_packet {
  struct march_key key;
  uint64_t numbers; /* TCP: sequence number, in the upper half, and acknowledgement */
  uint32_t bytes;
  uint32_t now;     /* tick */
  uint32_t ifindex; /* of a connection that it opens */
};

/* The slot that allows a packet, or 0. */
typedef uint32_t (*march_native_judge)(const void* policy, const struct march_key* key);

/* 1: it passes. */
int march_native_decide(struct march_native_gateway* gateway,
                        const struct march_native_packet* packet, march_native_judge judge,
                        const void* policy);

#ifdef __cplusplus
}
#endif

#endif
