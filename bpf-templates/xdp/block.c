/* xdp/block.h */
#include "xdp/part.h"

#include "xdp/block.h"

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_block_line);
} march_blocks SEC(".maps");

MARCH_INLINE const struct march_block_line* march_block_line_at(uint32_t index) {
  return bpf_map_lookup_elem(&march_blocks, &index);
}

#include "common/block_search.h"
