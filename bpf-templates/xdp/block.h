/* The block list in the XDP program (common/block.h). The maps are marchd's, see connections.h. */
#ifndef MARCH_BPF_TEMPLATES_XDP_BLOCK_H
#define MARCH_BPF_TEMPLATES_XDP_BLOCK_H

#include "common/bpf.h"

#include "bundle/abi/block.h"
#include "xdp/gateway.h"

/* Of the size that it has at most. */
struct march_block_filter {
  uint64_t words[MARCH_BLOCK_FILTER_WORDS(MARCH_BLOCK_MOST)];
};

MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_block_filter);
} march_block_filter MARCH_MAPS;

MARCH_INLINE const uint64_t* march_block_words(void) {
  const uint32_t zero = 0;
  const struct march_block_filter* filter = bpf_map_lookup_elem(&march_block_filter, &zero);
  return filter ? filter->words : 0;
}

#include "common/block.h"

#endif
