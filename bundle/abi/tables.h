/* The classifier tables: one position-independent array of 64-bit little-endian words. The file
 * tables/classifier.bin of a bundle is this array; the BPF map `march_tables` holds it word for
 * word; bpf-templates/common/walk.h walks it, compiled for BPF and for the host.
 *
 * Words 0.. hold struct march_tables_header. Everything after is reached through `shape`.
 *
 * Four steps judge a packet, each a search in a sorted run of words:
 *   source address -> source class      (shape.src4 or src6)
 *   destination    -> destination class (shape.dst4 or dst6)
 *   source class   -> its row; destination class in the row -> layer-4 table
 *   protocol and destination port in the layer-4 table -> verdict (bundle/abi/verdict.h)
 *
 * Where a mapping under audit would judge a packet, the layer-4 table holds MARCH_VERDICT_AUDITED
 * and a number: of the word at shape.audit_words + number, the low 32 bits are the verdict, the
 * upper are the slot of that mapping.
 *
 * A *run* is described by one word: base index in the low 32 bits, number of entries in the upper.
 * An entry of a packed run has its key in the upper 32 bits, its value in the lower; the first
 * entry of every run has key 0, so every search has an answer: the last entry whose key is not
 * greater.
 *
 * IPv4 (DXR, Zec, Rizzo, Mikuc, 2012): the first `root_bits` bits of the address index an array of
 * run words; the run's keys are whole addresses.
 * IPv6: one split run over the upper 64 bits of the address: `count` keys, then `count` payloads.
 * A payload is a class, or, with MARCH_PAYLOAD_RUN set, a nested split run over the lower 64 bits
 * (base in bits 0-30, count in bits 32-62).
 */
#ifndef MARCH_BUNDLE_ABI_TABLES_H
#define MARCH_BUNDLE_ABI_TABLES_H

#include "bundle/abi/types.h"

#define MARCH_TABLES_MAGIC 0x4c42544843524d41ull /* "AMRCHTBL" */
#define MARCH_TABLES_VERSION 2u

#define MARCH_PAYLOAD_RUN (1ull << 63)

/* The layer-4 key: protocol and destination port; type and code for ICMP and ICMPv6 (NetFlow has
 * the same convention); 0 for other protocols without ports. Later fragments have none of these and
 * keys of their own. */
#define MARCH_L4_KEY(protocol, port) ((((protocol) + 0u) << 16) | ((port) + 0u))
#define MARCH_ICMP_PORT(type, code) ((((type) + 0u) << 8) | ((code) + 0u))
#define MARCH_L4_FRAGMENT (1u << 24)
#define MARCH_L4_KEYS (1u << 25)

struct march_find4 {
  uint32_t root;      /* index of the first root word */
  uint32_t root_bits; /* 0 or 16 */
  uint32_t depth;     /* halvings that settle the longest run */
  uint32_t reserved;
};

struct march_find6 {
  uint32_t base; /* of the run over the upper halves */
  uint32_t count;
  uint32_t depth;
  uint32_t low_depth; /* of nested runs; 0 when there are none */
};

struct march_find_rows {
  uint32_t row_words; /* index of the first source class's run word */
  uint32_t depth;
};

/* What a program must know at compile time; constants in the generated C, data for the host. */
struct march_shape {
  struct march_find4 src4;
  struct march_find4 dst4;
  struct march_find6 src6;
  struct march_find6 dst6;
  struct march_find_rows rows4;
  struct march_find_rows rows6;
  uint32_t l4_words; /* index of the first layer-4 table's run word */
  uint32_t l4_depth;
  uint32_t audit_words; /* index of the first audited verdict; 0 when there are none */
  uint32_t reserved;
};

struct march_tables_header {
  uint64_t magic;
  uint32_t version;
  uint32_t words; /* in all, this header included */
  struct march_shape shape;
};

/* One packet, as its headers say; addresses in host order, IPv4 in the low 32 bits of `lo`. */
struct march_key {
  uint64_t src_hi;
  uint64_t src_lo;
  uint64_t dst_hi;
  uint64_t dst_lo;
  uint32_t l4;     /* MARCH_L4_KEY, or MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0) */
  uint32_t family; /* 4 or 6 */
};

#endif
