// A program whose counters have the form of earlier bundles: two numbers an entry.
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
  int (*max_entries)[256 * MARCH_COUNTER_WORDS];
  uint32_t* key;
  struct march_counter* value;
} march_counters SEC(".maps");

SEC("xdp") int march_xdp(void* packet) {
  return 1;
}
