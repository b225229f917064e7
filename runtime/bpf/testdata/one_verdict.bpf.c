// The smallest program with the shape of a bundle's: every packet gets the one verdict that stands
// in the word after the tables' header.
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

#define SEC(name) __attribute__((section(name), used))

enum { kMapArray = 2, kMapPerCpuArray = 6, kMapMmapable = 1 << 10, kXdpDrop = 1, kXdpPass = 2 };

static void* (*const lookup)(void* map, const void* key) = (void*)1;  // bpf_map_lookup_elem

struct {
  int (*type)[kMapArray];
  int (*map_flags)[kMapMmapable];
  int (*max_entries)[1];
  uint32_t* key;
  uint64_t* value;
} march_tables SEC(".maps");

struct {
  int (*type)[kMapPerCpuArray];
  int (*max_entries)[1];
  uint32_t* key;
  struct march_counter* value;
} march_counters SEC(".maps");

struct xdp_md {
  uint32_t data;
  uint32_t data_end;
};

SEC("xdp") int march_xdp(struct xdp_md* packet) {
  const uint32_t word = sizeof(struct march_tables_header) / 8;
  const uint64_t* verdict = lookup(&march_tables, &word);
  if (!verdict) return kXdpDrop;
  const uint32_t slot = MARCH_VERDICT_SLOT((uint32_t)*verdict);
  struct march_counter* counter = lookup(&march_counters, &slot);
  if (!counter) return kXdpDrop;
  counter->packets += 1;
  counter->bytes += packet->data_end - packet->data;
  return MARCH_VERDICT_ACTION((uint32_t)*verdict) == MARCH_ACTION_ALLOW ? kXdpPass : kXdpDrop;
}
