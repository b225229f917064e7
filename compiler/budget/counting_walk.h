/* bpf-templates/common/walk.h compiled for the host, with every line of the tables counted that it
 * reads. */
#ifndef MARCH_COMPILER_BUDGET_COUNTING_WALK_H
#define MARCH_COMPILER_BUDGET_COUNTING_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/abi/tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many lines the walk reads to judge `key`, each counted once however often it is read. `words`
 * as for march_native_classify; `audit` becomes the slot of the mapping under audit that would
 * judge, or 0. */
uint32_t march_count_lines(const uint64_t* words, size_t count, const struct march_key* key,
                           uint32_t* audit);

#ifdef __cplusplus
}
#endif

#endif
