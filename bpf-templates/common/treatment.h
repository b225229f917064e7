/* What a mapping asks for beyond its verdict (bundle/abi/tables.h). The includer defines what
 * common/walk.h asks for, and includes common/leaf.h. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_TREATMENT_H
#define MARCH_BPF_TEMPLATES_COMMON_TREATMENT_H

#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

/* The treatment of a slot. 0, which asks for nothing, for slots below MARCH_SLOT_DEFAULT, where the
 * tables have none, and where they lead outside of themselves. */
MARCH_INLINE uint64_t march_treatment(march_tables_ref tables, uint32_t slot) {
  const struct march_tables_header* header =
      (const struct march_tables_header*)march_line(tables, 0);
  if (!header || header->treatments == 0 || slot < MARCH_SLOT_DEFAULT) return 0;
  uint32_t broken = 0;
  return march_word(tables, header->treatments + (slot - MARCH_SLOT_DEFAULT), &broken);
}

/* The line of a treatment's first limit, 0 if it has none. */
MARCH_INLINE uint32_t march_limit_first(march_tables_ref tables, uint64_t treatment) {
  const struct march_tables_header* header =
      (const struct march_tables_header*)march_line(tables, 0);
  const uint32_t number = (uint32_t)MARCH_TREATMENT_LIMIT(treatment);
  return header && number != 0 ? header->limits + number - 1 : 0;
}

#endif
