#include "tests/limits/native_limit.h"

#include <stddef.h>
#include <string.h>

/* A header and the limits, as tables hold them. */
struct native_tables {
  uint64_t words[(1 + 3) * MARCH_LINE_WORDS];
  uint32_t lines;
};

static __thread struct native_gateway* current;
static __thread uint64_t current_time;
static __thread uint64_t current_late;

typedef const struct native_tables* march_tables_ref;
#define MARCH_INLINE static inline
#define MARCH_OPAQUE(variable) (void)(variable)
#define MARCH_UNROLLED
#define MARCH_FORGET(value, length) ((void)(length), (value))
#define MARCH_CONFIG (current->config)

static inline const uint64_t* march_line(march_tables_ref tables, uint32_t index) {
  return index < tables->lines ? tables->words + (size_t)index * MARCH_LINE_WORDS : NULL;
}

static inline struct march_bucket_line* march_limit_line(uint32_t number) {
  return number < current->config.limits.lines ? &current->lines[number] : NULL;
}

static inline uint64_t march_limit_time(void) {
  return current_time - current_late;
}

static inline uint64_t march_limit_precise_time(void) {
  return current_time;
}

static inline void march_limit_statistic(uint32_t which) {
  __atomic_fetch_add(&current->statistics[which], 1, __ATOMIC_RELAXED);
}

#include "bpf-templates/common/leaf.h"
#include "bpf-templates/common/treatment.h"

#include "bpf-templates/common/admit.h"
#include "bpf-templates/common/packet.h"

#include "bpf-templates/common/lower_effort.h"

uint32_t native_limit_admits(struct native_gateway* gateway, const struct march_limit* limits,
                             uint32_t count, const struct march_key* key, uint64_t bytes,
                             uint32_t is_new_flow, uint64_t time, uint64_t late) {
  struct native_tables tables;
  memset(&tables, 0, sizeof(tables));
  const struct march_tables_header header = {.limits = 1, .limit_count = count};
  memcpy(tables.words, &header, sizeof(header));
  memcpy(tables.words + MARCH_LINE_WORDS, limits, count * sizeof(*limits));
  tables.lines = 1 + count;
  current = gateway;
  current_time = time;
  current_late = late;
  return march_limit_admits(&tables, MARCH_TREATMENT_OF_LIMIT(0), key, bytes, is_new_flow);
}

uint64_t native_limit_hash(const struct native_gateway* gateway, const struct march_limit* limit,
                           const struct march_key* key) {
  current = (struct native_gateway*)gateway;
  return march_limit_hash(limit, key);
}

uint32_t native_limit_line_of(const struct native_gateway* gateway, uint64_t hash) {
  current = (struct native_gateway*)gateway;
  return march_limit_line_of(hash);
}

uint32_t native_limit_tag(const struct march_limit* limit, uint64_t hash) {
  return march_limit_tag(limit, hash);
}

uint8_t* native_ip_of(uint8_t* data, const uint8_t* end) {
  return march_ip_of(data, end);
}

void native_set_lower_effort(uint8_t* ip) {
  march_set_lower_effort(ip);
}
