/* The little of the kernel's interface that generated programs use, so that compiling them needs no
 * kernel headers. Numbers and layouts are the kernel's stable user-space ABI. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BPF_H
#define MARCH_BPF_TEMPLATES_COMMON_BPF_H

#include "bundle/abi/types.h"

#define SEC(name) __attribute__((section(name), used))
#define MARCH_INLINE static __attribute__((always_inline)) inline

/* See common/packet.h. The verifier knows nothing of a frame's length, so nothing of a sum with it.
 */
#define MARCH_FORGET(value, length)    \
  ({                                   \
    uint64_t sum = (value) + (length); \
    __asm__ volatile("" : "+r"(sum));  \
    (uint32_t)(sum - (length));        \
  })

/* See common/walk.h. */
#define MARCH_OPAQUE(variable) __asm__ volatile("" : "+r"(variable))

/* Members of a map's definition in the form that BTF carries to the loader. */
#define MARCH_MAP_UINT(name, value) int(*name)[value]
#define MARCH_MAP_TYPE(name, value) value* name

#define BPF_MAP_TYPE_ARRAY 2
#define BPF_F_MMAPABLE 1024

enum march_xdp_action { XDP_DROP = 1, XDP_PASS = 2 };

/* The context of an XDP program. */
struct xdp_md {
  uint32_t data;
  uint32_t data_end;
  uint32_t data_meta;
  uint32_t ingress_ifindex;
  uint32_t rx_queue_index;
  uint32_t egress_ifindex;
};

static void* (*const bpf_map_lookup_elem)(void* map, const void* key) = (void*)1;
static uint32_t (*const bpf_get_smp_processor_id)(void) = (void*)8;

#endif
