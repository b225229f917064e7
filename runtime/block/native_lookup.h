/* bpf-templates/common/block.h and abuse.h compiled for the host, for tests. */
#ifndef MARCH_RUNTIME_BLOCK_NATIVE_LOOKUP_H
#define MARCH_RUNTIME_BLOCK_NATIVE_LOOKUP_H

#include "bundle/abi/tables.h"
#include "bundle/abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The two maps of a block list of so many prefixes. */
struct march_native_blocks {
  const uint64_t* filter;
  const uint64_t* lines;
  uint32_t capacity;
};

/* What march_block_may_list says, and, in `listed`, march_block_lists. */
uint32_t march_native_may_list(const struct march_native_blocks* blocks, uint32_t family,
                               uint64_t hi, uint64_t lo, uint32_t* listed);

uint32_t march_native_flags_are_impossible(uint32_t flags);
uint32_t march_native_is_martian(const struct march_key* key);

/* Whether an address is among the marks of `lines`, hashed with `secret`. */
uint32_t march_native_is_own(const uint64_t* lines, const uint64_t* secret, uint32_t family,
                             uint64_t hi, uint64_t lo);

#ifdef __cplusplus
}
#endif

#endif
