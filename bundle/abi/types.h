/* Fixed-width integers for BPF, where no system header is to be had, and for the host. */
#ifndef MARCH_BUNDLE_ABI_TYPES_H
#define MARCH_BUNDLE_ABI_TYPES_H

#ifdef __bpf__
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INT64_TYPE__ int64_t;
#else
#include <stdint.h>
#endif

#endif
