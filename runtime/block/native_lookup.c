#include "runtime/block/native_lookup.h"

#include <stddef.h>

#include "bundle/abi/block.h"
#include "bundle/abi/config.h"

static struct march_config native_config;
static struct march_native_blocks native_blocks;
static const struct march_own_line* native_own_lines;
static struct march_native_sources native_sources;

#define MARCH_INLINE static inline
#define MARCH_APART static
#define MARCH_OPAQUE(variable) (void)(variable)
#define MARCH_UNROLLED
#define MARCH_CONFIG native_config

static const uint64_t* march_block_words(void) {
  return native_blocks.filter;
}

static const struct march_block_line* march_block_line_at(uint32_t index) {
  if (index >= MARCH_BLOCK_LINES(native_blocks.capacity)) return NULL;
  return (const struct march_block_line*)native_blocks.lines + index;
}

static const struct march_own_line* march_own_line_at(uint32_t line) {
  return line < MARCH_OWN_LINES ? native_own_lines + line : NULL;
}

static struct march_real_line* march_real_line_at(uint32_t line) {
  return line < native_sources.count ? native_sources.lines + line : NULL;
}

#include "bpf-templates/common/abuse.h"
#include "bpf-templates/common/block_search.h"
#include "bpf-templates/common/cookie.h"

static void march_native_set_secret(const uint64_t* secret) {
  native_config.secret[0] = secret[0];
  native_config.secret[1] = secret[1];
}

static void march_native_set_sources(const struct march_native_sources* sources) {
  native_sources = *sources;
  native_config.abuse.cookies.lines = sources->count;
  native_config.abuse.cookies.remember = sources->remember;
}

uint32_t march_native_may_list(const struct march_native_blocks* blocks, uint32_t family,
                               uint64_t hi, uint64_t lo, uint32_t* listed) {
  native_blocks = *blocks;
  native_config.abuse.blocks = blocks->capacity;
  uint64_t state = 0;
  const uint32_t top = march_block_may_list(family, hi, lo, &state);
  *listed = top != 0 && march_block_lists(state, family, top, hi, lo);
  return top;
}

uint32_t march_native_flags_are_impossible(uint32_t flags) {
  return march_flags_are_impossible(flags);
}

uint32_t march_native_is_martian(const struct march_key* key) {
  return march_is_martian(key);
}

uint32_t march_native_is_own(const uint64_t* lines, const uint64_t* secret, uint32_t family,
                             uint64_t hi, uint64_t lo) {
  native_own_lines = (const struct march_own_line*)lines;
  march_native_set_secret(secret);
  return march_is_own(family, hi, lo);
}

uint64_t march_native_sip_hash(const uint64_t* secret, const struct march_key* key, uint64_t rest) {
  return march_sip_hash(secret[0], secret[1], key, rest);
}

uint32_t march_native_cookie_of(const uint64_t* secret, const struct march_key* key,
                                uint32_t minute) {
  march_native_set_secret(secret);
  return march_cookie_of(key, minute);
}

uint32_t march_native_is_cookie(const uint64_t* secret, const struct march_key* key,
                                uint32_t cookie, uint32_t minute) {
  march_native_set_secret(secret);
  return march_is_cookie(key, cookie, minute);
}

uint32_t march_native_is_real(const struct march_native_sources* sources,
                              const struct march_key* key, uint32_t now) {
  march_native_set_sources(sources);
  return march_source_is_real(march_source_mark(key), now);
}

void march_native_take_for_real(const struct march_native_sources* sources,
                                const struct march_key* key, uint32_t now) {
  march_native_set_sources(sources);
  march_remember_source(march_source_mark(key), now);
}
