#include "compiler/classify/native_walk.h"

#include <string.h>

struct march_native_tables {
  const uint64_t* words;
  uint32_t count;
};

typedef const struct march_native_tables* march_tables_ref;
#define MARCH_INLINE static inline

static inline uint64_t march_word(march_tables_ref tables, uint32_t index) {
  return index < tables->count ? tables->words[index] : 0;
}

#include "bpf-templates/common/walk.h"

uint32_t march_native_classify(const uint64_t* words, uint32_t count, const struct march_key* key,
                               uint32_t* audit) {
  *audit = 0;
  struct march_tables_header header;
  if ((uint64_t)count * sizeof(*words) < sizeof(header)) {
    return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  }
  memcpy(&header, words, sizeof(header));
  const struct march_native_tables tables = {words, count};
  return march_classify(&tables, &header.shape, key, audit);
}
