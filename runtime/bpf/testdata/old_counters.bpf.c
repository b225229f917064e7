// A program whose counters have the form of earlier bundles: two numbers an entry.
#include "bundle/abi/verdict.h"

#define TABLE_WORDS 16
#define COUNTERS 256 * MARCH_COUNTER_WORDS
#define COUNTER struct march_counter
#include "runtime/bpf/testdata/maps.h"

SEC("xdp") int march_xdp(void* packet) {
  return 1;
}
