/* bpf-templates/common/walk.h compiled for the host. */
#ifndef MARCH_COMPILER_CLASSIFY_NATIVE_WALK_H
#define MARCH_COMPILER_CLASSIFY_NATIVE_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/abi/tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The verdict of the tables in `words` on `key`, and in `audit` the slot of the mapping under audit
 * that would judge it, or 0. `words` are whole lines and begin with a march_tables_header; a line
 * outside of [0, count / MARCH_LINE_WORDS) does not exist, as in the kernel. */
uint32_t march_native_classify(const uint64_t* words, size_t count, const struct march_key* key,
                               uint32_t* audit);

/* The treatment of a slot by the tables in `words`, as march_treatment has it. */
uint64_t march_native_treatment(const uint64_t* words, size_t count, uint32_t slot);

#ifdef __cplusplus
}
#endif

#endif
