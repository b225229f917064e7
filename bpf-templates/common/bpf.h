/* The little of the kernel's interface that generated programs use, so that compiling them needs no
 * kernel headers. Numbers and layouts are the kernel's stable user-space ABI. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_BPF_H
#define MARCH_BPF_TEMPLATES_COMMON_BPF_H

#include "bundle/abi/types.h"

#define SEC(name) __attribute__((section(name), used))
#define MARCH_INLINE static __attribute__((always_inline)) inline

/* A function to the verifier too, which looks at it once; before Linux 6.8, even if nothing calls
 * it. */
#define MARCH_APART __attribute__((noinline))

/* `MARCH_SHARED struct {...} name MARCH_MAPS;` is a map that the program and its parts (xdp/part.h)
 * use. The program defines it. */
#ifdef MARCH_PART
#define MARCH_SHARED extern
#define MARCH_MAPS __attribute__((section(".maps")))
#else
#define MARCH_SHARED
#define MARCH_MAPS SEC(".maps")
#endif

/* See common/packet.h. The verifier knows nothing of a frame's length, so nothing of a sum with it.
 */
#define MARCH_FORGET(value, length)    \
  ({                                   \
    uint64_t sum = (value) + (length); \
    __asm__ volatile("" : "+r"(sum));  \
    (uint32_t)(sum - (length));        \
  })
#define MARCH_FORGET_WIDE(value, length) \
  ({                                     \
    uint64_t sum = (value) + (length);   \
    __asm__ volatile("" : "+r"(sum));    \
    sum - (length);                      \
  })

/* See common/walk.h. */
#define MARCH_OPAQUE(variable) __asm__ volatile("" : "+r"(variable))

/* The loop behind stays one, which needs less of the stack, or does not. */
#define MARCH_ROLLED _Pragma("clang loop unroll(disable)")
#define MARCH_UNROLLED _Pragma("clang loop unroll(full)")

/* Members of a map's definition in the form that BTF carries to the loader. */
#define MARCH_MAP_UINT(name, value) int(*name)[value]
#define MARCH_MAP_TYPE(name, value) value* name

#define BPF_MAP_TYPE_ARRAY 2
#define BPF_MAP_TYPE_PERCPU_ARRAY 6
#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_F_MMAPABLE 1024

enum march_xdp_action { XDP_DROP = 1, XDP_PASS = 2, XDP_TX = 3, XDP_REDIRECT = 4 };

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
static uint64_t (*const bpf_ktime_get_ns)(void) = (void*)5;
static uint32_t (*const bpf_get_smp_processor_id)(void) = (void*)8;
static uint64_t (*const bpf_jiffies64)(void) =
    (void*)118; /* Linux 5.6; no call where it is JITed */
static void* (*const bpf_ringbuf_reserve)(void* map, uint64_t bytes, uint64_t flags) = (void*)131;
static void (*const bpf_ringbuf_submit)(void* record, uint64_t flags) = (void*)132;
static uint64_t (*const bpf_ktime_get_coarse_ns)(void) = (void*)160; /* Linux 5.11 */

#endif
