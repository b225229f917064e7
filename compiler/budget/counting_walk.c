#include "compiler/budget/counting_walk.h"

#include <string.h>

/* More than any walk reads that is bounded by the shapes the compiler makes; behind it, a line that
 * is read twice counts twice. */
#define MARCH_LINES_KEPT 1024u

struct march_counted_tables {
  const uint64_t* words;
  uint32_t lines;
  uint32_t read;
  uint32_t seen[MARCH_LINES_KEPT];
};

typedef struct march_counted_tables* march_tables_ref;
#define MARCH_INLINE static inline
#define MARCH_OPAQUE(variable) (void)(variable)

static const uint64_t* march_line(march_tables_ref tables, uint32_t index) {
  if (index >= tables->lines) return NULL;
  const uint32_t kept = tables->read < MARCH_LINES_KEPT ? tables->read : MARCH_LINES_KEPT;
  uint32_t i = 0;
  while (i < kept && tables->seen[i] != index) ++i;
  if (i == kept) {
    if (kept < MARCH_LINES_KEPT) tables->seen[kept] = index;
    ++tables->read;
  }
  return tables->words + (size_t)index * MARCH_LINE_WORDS;
}

#include "bpf-templates/common/leaf.h"

static void march_weigh_any(march_tables_ref tables, const struct march_shape* shape,
                            struct march_weighing* w) {
  march_weigh_leaf(tables, shape, w);
}

#include "bpf-templates/common/walk.h"

uint32_t march_count_lines(const uint64_t* words, size_t count, const struct march_key* key,
                           uint32_t* audit) {
  struct march_counted_tables tables;
  tables.words = words;
  tables.lines = (uint32_t)(count / MARCH_LINE_WORDS);
  tables.read = 0;
  *audit = 0;
  if (tables.lines <= 3) return 0;
  struct march_shape shape; /* constants in the program, so not read */
  memcpy(&shape, words + 3 * MARCH_LINE_WORDS, sizeof(shape));
  (void)march_classify(&tables, &shape, key, audit);
  return tables.read;
}
