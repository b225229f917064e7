/* bpf-templates/common/block.h, abuse.h and cookie.h compiled for the host, for tests. */
#ifndef MARCH_RUNTIME_BLOCK_NATIVE_LOOKUP_H
#define MARCH_RUNTIME_BLOCK_NATIVE_LOOKUP_H

#include "bundle/abi/abuse.h"
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

/* SipHash-2-4 of both addresses of a key, and the seven bytes of `rest`. */
uint64_t march_native_sip_hash(const uint64_t* secret, const struct march_key* key, uint64_t rest);

uint32_t march_native_cookie_of(const uint64_t* secret, const struct march_key* key,
                                uint32_t minute);
uint32_t march_native_is_cookie(const uint64_t* secret, const struct march_key* key,
                                uint32_t cookie, uint32_t minute);

/* `count` lines of real sources, who are remembered for `remember` ticks. */
struct march_native_sources {
  struct march_real_line* lines;
  uint32_t count;
  uint32_t remember;
};
uint32_t march_native_is_real(const struct march_native_sources* sources,
                              const struct march_key* key, uint32_t now);
void march_native_take_for_real(const struct march_native_sources* sources,
                                const struct march_key* key, uint32_t now);

#ifdef __cplusplus
}
#endif

#endif
