// A program the verifier refuses: it reads the packet without looking where it ends.
#include "bundle/abi/verdict.h"

#define SEC(name) __attribute__((section(name), used))

struct lines {
  uint64_t words[16];
};

struct {
  int (*type)[2];
  int (*map_flags)[1 << 10];
  int (*max_entries)[1];
  uint32_t* key;
  struct lines* value;
} march_tables SEC(".maps");

struct {
  int (*type)[2];
  int (*map_flags)[1 << 10];
  int (*max_entries)[3328 * MARCH_COUNTER_WORDS];
  uint32_t* key;
  uint64_t* value;
} march_counters SEC(".maps");

struct xdp_md {
  uint32_t data;
  uint32_t data_end;
};

SEC("xdp") int march_xdp(struct xdp_md* packet) {
  return *(volatile uint8_t*)(uint64_t)packet->data;
}
