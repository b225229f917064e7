#include "compiler/classify/native_walk.h"

#include <string.h>

struct march_native_tables {
  const uint64_t* words;
  uint32_t lines;
};

typedef const struct march_native_tables* march_tables_ref;
#define MARCH_INLINE static inline
#define MARCH_OPAQUE(variable) (void)(variable)

static inline const uint64_t* march_line(march_tables_ref tables, uint32_t index) {
  return index < tables->lines ? tables->words + (size_t)index * MARCH_LINE_WORDS : NULL;
}

#include "bpf-templates/common/leaf.h"

static void march_weigh_any(march_tables_ref tables, const struct march_shape* shape,
                            struct march_weighing* w) {
  march_weigh_leaf(tables, shape, w);
}

#include "bpf-templates/common/treatment.h"
#include "bpf-templates/common/walk.h"

uint32_t march_native_classify(const uint64_t* words, size_t count, const struct march_key* key,
                               uint32_t* audit) {
  *audit = 0;
  const struct march_native_tables tables = {words, (uint32_t)(count / MARCH_LINE_WORDS)};
  const uint64_t* bounds = march_line(&tables, 3);
  if (!bounds) return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  struct march_shape shape;
  memcpy(&shape, bounds, sizeof(shape));
  return march_classify(&tables, &shape, key, audit);
}

uint64_t march_native_treatment(const uint64_t* words, size_t count, uint32_t slot) {
  const struct march_native_tables tables = {words, (uint32_t)(count / MARCH_LINE_WORDS)};
  return march_treatment(&tables, slot);
}
