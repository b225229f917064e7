// A program the verifier refuses: it reads the packet without looking where it ends.
#include "bundle/abi/verdict.h"

#define TABLE_WORDS 16
#define COUNTERS 3328 * MARCH_COUNTER_WORDS
#define COUNTER uint64_t
#include "runtime/bpf/testdata/maps.h"

struct xdp_md {
  uint32_t data;
  uint32_t data_end;
};

SEC("xdp") int march_xdp(struct xdp_md* packet) {
  return *(volatile uint8_t*)(uint64_t)packet->data;
}
