/* bpf-templates/common/packet.h compiled for the host, for tests and fuzzing under sanitizers. */
#ifndef MARCH_COMPILER_PROVE_NATIVE_READER_H
#define MARCH_COMPILER_PROVE_NATIVE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/abi/tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What march_read_frame says of the `size` bytes at `frame`: a slot, or MARCH_NATIVE_JUDGE with
 * `key` filled in. */
#define MARCH_NATIVE_JUDGE 0xffffffffu
uint32_t march_native_read(const uint8_t* frame, size_t size, struct march_key* key);

#ifdef __cplusplus
}
#endif

#endif
