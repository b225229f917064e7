// The smallest program with the shape of a bundle's: every packet gets the one verdict that stands
// in the word after the tables' header.
#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

enum { kSlots = 3328, kXdpDrop = 1, kXdpPass = 2 };

#define TABLE_WORDS (2 * MARCH_LINE_WORDS)
#define COUNTERS MARCH_COUNTER_BLOCK(kSlots)
#define COUNTER uint64_t
#include "runtime/bpf/testdata/maps.h"

static void* (*const lookup)(void* map, const void* key) = (void*)1;  // bpf_map_lookup_elem
static uint32_t (*const processor)(void) = (void*)8;                  // bpf_get_smp_processor_id

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
