// The smallest program with the shape of a bundle's: every packet gets the one verdict that stands
// in the word after the tables' header.
#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

#define SEC(name) __attribute__((section(name), used))

enum { kMapArray = 2, kSlots = 3328, kMapMmapable = 1 << 10, kXdpDrop = 1, kXdpPass = 2 };

static void* (*const lookup)(void* map, const void* key) = (void*)1;  // bpf_map_lookup_elem
static uint32_t (*const processor)(void) = (void*)8;                  // bpf_get_smp_processor_id

struct lines {
  uint64_t words[2 * MARCH_LINE_WORDS];
};

struct {
  int (*type)[kMapArray];
  int (*map_flags)[kMapMmapable];
  int (*max_entries)[1];
  uint32_t* key;
  struct lines* value;
} march_tables SEC(".maps");

struct {
  int (*type)[kMapArray];
  int (*map_flags)[kMapMmapable];
  int (*max_entries)[MARCH_COUNTER_BLOCK(kSlots)];
  uint32_t* key;
  uint64_t* value;
} march_counters SEC(".maps");

struct xdp_md {
  uint32_t data;
  uint32_t data_end;
};

SEC("xdp") int march_xdp(struct xdp_md* packet) {
  const uint32_t zero = 0;
  const struct lines* lines = lookup(&march_tables, &zero);
  if (!lines) return kXdpDrop;
  const uint64_t* verdict = &lines->words[sizeof(struct march_tables_header) / 8];
  const uint32_t slot = MARCH_VERDICT_SLOT((uint32_t)*verdict);
  const uint32_t place = processor() * MARCH_COUNTER_BLOCK(kSlots) + slot;
  uint64_t* word = lookup(&march_counters, &place);
  if (!word) return kXdpDrop;
  // Nobody sends it so many frames that it would spill.
  *word = march_word_add(*word, packet->data_end - packet->data);
  return MARCH_VERDICT_ACTION((uint32_t)*verdict) == MARCH_ACTION_ALLOW ? kXdpPass : kXdpDrop;
}
