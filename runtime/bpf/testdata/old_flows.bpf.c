// A program that keeps connections in the form of earlier bundles, whose map asks for one entry.
#include "bundle/abi/config.h"
#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

#define TABLE_WORDS (2 * MARCH_LINE_WORDS)
#define COUNTERS MARCH_COUNTER_BLOCK(3328)
#define COUNTER uint64_t
#include "runtime/bpf/testdata/maps.h"

MAP(march_flows, 1, struct march_flow);

const volatile struct march_config march_config SEC(MARCH_CONFIG_SECTION) = {0};

SEC("xdp") int march_xdp(void* packet) {
  return march_config.flows.established ? 1 : 2;
}
