/* The classifier tables: one position-independent array of lines of 64 bytes, each eight 64-bit
 * little-endian words. The file tables/classifier.bin of a bundle is this array; the BPF map
 * `march_tables` holds it line for line; bpf-templates/common/walk.h walks it, compiled for BPF and
 * for the host. A line is what one look at memory brings, so everything that is searched together
 * lies in one.
 *
 * A *half* is 32 bits: half h lies in word h / 2, the even one in its low bits. Lines, words and
 * halves are numbered from the start of the array. Line 0 holds struct march_tables_header, lines 1
 * and 2 a struct march_family for IPv4 and IPv6, line 3 struct march_shape.
 *
 * Judging a packet:
 *
 * 1. Each address is searched for its *class*: all addresses that no mapping tells apart.
 * 2. Two classes meet in up to three *views*, each of which holds the mappings that are cheapest
 *    there: rows by source (mappings that pin down their source), rows by destination, and a dense
 *    matrix (those that pin down neither). Each view yields a leaf.
 * 3. A *leaf* is one word: no mapping, one, a short list, or a table over layer 4. Of the mappings
 *    in all leaves whose ports match, the first in precedence decides. Slots are numbered in order
 *    of precedence, so that is the smallest verdict word.
 *
 * Address values. What a search yields for an address is a half: MARCH_VALUE_LEAF set, and the
 * class in the other bits. Without that bit, the search goes on.
 *
 * IPv4 (DXR: Zec, Rizzo, Mikuc, 2012, with two direct steps): the first `root_bits` bits of the
 * address index words, low half: number of the first cell's half; upper: how many bits of the
 * address one cell spans. A cell is a value or the number of a *short line*. Where the shape says
 * `direct`, there are no cells: the low half is the number of the first of a run of short lines,
 * each of which spans as many bits as a cell would. A short line has in words 0-2 twelve
 * keys of 15 bits, up to nine in use, the others 0x8000; from half 6 on ten values. The value
 * behind as many keys as are not above the address's low 15 bits holds; it may be another line.
 *
 * IPv6: from the family's root value, searched by the upper 64 bits. Without flags: the number of a
 * *long line*: in words 0-4 five keys, unused ones all ones; from half 10 on six values, the last
 * repeated. MARCH_VALUE_SPAN: the number of a pair of words that divide a range evenly, the first
 * its start, the second: number of the first cell's half in bits 0-31, bits of a cell in 32-39,
 * number of the last cell in 40-63. MARCH_VALUE_LOW: as these two, searched on by the lower 64
 * bits.
 *
 * Pairs. Most rows by source are about single destinations: these are in a hash table of lines of
 * eight words. march_pair_key makes a number of the value of the source and the class of the
 * destination, march_pair_line says its line, and march_pair_tag what is in bits 36-63 of its word;
 * the compiler sees to it that no other pair could have the same tag in that line. Bits 0-35:
 * MARCH_PAIR_FINAL, as MARCH_LEAF_FINAL; bits 33-34: what kind of leaf.
 *   RULE   the slot in the lower `pair_slot_bits` bits, a bit that is 1 for allow, and up to bit 32
 *          the number of the set of layer 4.
 *   LIST   the number of the first word in bits 0-26, how many in 27-30.
 *   NONE   the number of a word that is the leaf, in bits 0-26, for leaves of any other form.
 * A word of zeros is no pair. What is not found there may be in the row.
 *
 * Rows. The class of a source, divided by MARCH_PAIR_SALTS, counts halves from `source_records` on,
 * that of a destination from `destination_records` on; they hold the number of the class's
 * *record*, a line: word 0 has in the upper half the class by which rows of the other direction are
 * searched, in the lower the class for the matrix; word 1 in bits 32-63 the fence, from which on
 * the tail holds, in 28-31 the levels of the tail, in 0-27 its first line; words 2-7 three entries.
 * An *entry* is two words: first class in bits 32-63 and last in 0-31 of what it holds for, and a
 * leaf. Unused ones have all ones as their first class. The tail's last level are lines of four
 * entries; above it, lines of fences: word 0 the first of up to 15 lines on the next level, then 14
 * halves, the first classes of its lines but the first, unused ones 0x80000000. Where a family has
 * no rows, classes index the matrix directly.
 *
 * Leaves. Bits 62-63: MARCH_LEAF_*.
 *   RULE   a verdict in bits 0-31, the number of a set of layer 4 in 32-59.
 *   LIST   number of the first word in bits 0-31, how many in 32-39: RULEs in order of precedence.
 *   TABLE  number of the first word in bits 0-31, how many in 32-59: a run of words, key in the
 *          upper half, in the lower the number of a word that is a leaf. Keys are layer-4 keys, or,
 *          with MARCH_LEAF_BY_SOURCE_PORT, source ports. The last word whose key is not above the
 *          packet's holds; the first key is 0.
 * MARCH_LEAF_FINAL: the other views have nothing to add.
 *
 * Sets. Set n is the pair of words at `sets` + 2n: layer-4 keys, then source ports; the packet must
 * be in both. Each is an interval, first in bits 0-31, last in 32-61, or, with MARCH_SET_MANY, the
 * number of the first of a run of such words in bits 0-31 and how many in 32-61, ascending. With
 * MARCH_SET_SOME in the first, no whole packet matches, and of fragments it is not known.
 *
 * Treatments. What a mapping asks for beyond allow or deny is its treatment: a word for each slot
 * from MARCH_SLOT_DEFAULT on, beginning with word `treatments`. MARCH_TREATMENT_STATELESS: its
 * packets make no flow, and none of their replies passes because of them.
 * MARCH_TREATMENT_REJECT: the action is deny, and the sender gets an answer. Bits 8-31: the number
 * of its limit plus 1, 0 for none. A word of zeros asks for nothing. Where all words would be
 * zeros, there are none, and `treatments` is 0.
 *
 * Limits. Limit n is the line at `limits` + n, a struct march_limit (bundle/abi/limit.h).
 */
#ifndef MARCH_BUNDLE_ABI_TABLES_H
#define MARCH_BUNDLE_ABI_TABLES_H

#include "bundle/abi/types.h"

#define MARCH_TABLES_MAGIC 0x4c42544843524d41ull /* "AMRCHTBL" */
#define MARCH_TABLES_VERSION 5u

#define MARCH_LINE_WORDS 8u
#define MARCH_LINE_BYTES 64u

/* The layer-4 key: protocol and destination port; type and code for ICMP and ICMPv6 (NetFlow has
 * the same convention); 0 for other protocols without ports. Later fragments have none of these and
 * keys of their own. */
#define MARCH_L4_KEY(protocol, port) ((((protocol) + 0u) << 16) | ((port) + 0u))
#define MARCH_ICMP_PORT(type, code) ((((type) + 0u) << 8) | ((code) + 0u))
#define MARCH_L4_FRAGMENT (1u << 24)
#define MARCH_L4_KEYS (1u << 25)

#define MARCH_VALUE_LEAF (1u << 31)
#define MARCH_VALUE_LOW (1u << 30)
#define MARCH_VALUE_SPAN (1u << 29)
#define MARCH_VALUE_INDEX (MARCH_VALUE_SPAN - 1u)

#define MARCH_SHORT_KEYS 9u
#define MARCH_SHORT_KEY_BITS 15u
#define MARCH_SHORT_VALUES 6u /* the half with the first value */
#define MARCH_LONG_KEYS 5u
#define MARCH_LONG_VALUES 10u

#define MARCH_RECORD_ENTRIES 3u
#define MARCH_ROW_ENTRIES 4u
#define MARCH_FENCES 14u
#define MARCH_PAIR_SALTS 64u /* ways to spread one source's pairs, told apart by its last bits */
#define MARCH_PAIR_TAG_SHIFT 36u
#define MARCH_PAIR_TAGS (1u << 28)
#define MARCH_PAIR_FINAL (1ull << 35)
#define MARCH_PAIR_KIND(word) ((word) >> MARCH_PAIR_RULE_BITS & 3u)
#define MARCH_PAIR_RULE_BITS 33u
#define MARCH_PAIR_WORDS (1u << 27)
#define MARCH_PAIR_LIST_SHIFT 27u
#define MARCH_NO_CLASS 0xffffffffu
#define MARCH_TAIL_LINES (1u << 28)

#define MARCH_LEAF_KIND(leaf) ((leaf) >> 62)
#define MARCH_LEAF_NONE 0u
#define MARCH_LEAF_RULE 1u
#define MARCH_LEAF_LIST 2u
#define MARCH_LEAF_TABLE 3u
#define MARCH_LEAF_FINAL (1ull << 61)
#define MARCH_LEAF_BY_SOURCE_PORT (1ull << 60)
#define MARCH_LIST_MAX 8u
#define MARCH_MAX_SETS (1u << 28)

#define MARCH_TREATMENT_STATELESS 1u
#define MARCH_TREATMENT_REJECT 2u
#define MARCH_TREATMENT_LIMIT(treatment) ((treatment) >> 8 & 0xffffffu) /* plus 1 */
#define MARCH_TREATMENT_OF_LIMIT(number) (((number) + 1ull) << 8)

#define MARCH_SET_MANY (1ull << 63)
#define MARCH_SET_SOME (1ull << 62)
#define MARCH_SET_ALL_ID 0u  /* every packet */
#define MARCH_SET_SOME_ID 1u /* no whole packet, fragments perhaps */

struct march_tables_header {
  uint64_t magic;
  uint32_t version;
  uint32_t lines;      /* in all, this one included */
  uint32_t treatments; /* number of the first word; 0: no slot has any */
  uint32_t limits;     /* number of the first line */
  uint32_t limit_count;
  uint32_t reserved0;
  uint64_t reserved[4];
};

/* Where the tables hold what, of one address family. */
struct march_family {
  uint32_t source;              /* IPv4: number of the first root word; IPv6: the root value */
  uint32_t destination;         /* likewise */
  uint32_t source_records;      /* number of the first half */
  uint32_t destination_records; /* number of the first half */
  uint32_t pairs;               /* number of the first line */
  uint32_t pair_lines;
  uint32_t matrix;                /* number of the first word */
  uint32_t width;                 /* destination classes of the matrix */
  uint32_t sets;                  /* number of the first set's first word */
  uint32_t pair_bits;             /* as in march_pair_key */
  uint32_t pair_destination_bits; /* likewise */
  uint32_t pair_slot_bits;        /* below 32 */
  uint32_t reserved[4];
};

#define MARCH_VIEW_SOURCE 1u      /* rows by source */
#define MARCH_VIEW_DESTINATION 2u /* rows by destination */
#define MARCH_VIEW_MATRIX 4u
#define MARCH_VIEW_PAIRS 8u /* the pairs of rows by source */

/* Bounds of the searches in one family. */
struct march_family_shape {
  uint8_t views;            /* MARCH_VIEW_* */
  uint8_t root_bits;        /* IPv4 */
  uint8_t depth;            /* steps from a cell, root word or root value to a class, at most */
  uint8_t low_depth;        /* IPv6: likewise by the lower half; 0 when nothing is that narrow */
  uint8_t source_tail;      /* levels of tails of rows by source */
  uint8_t destination_tail; /* of rows by destination */
  uint8_t shared;           /* 1: one search table; destinations have the class of a source */
  uint8_t direct;           /* IPv4: 1: root words lead to lines, not to cells */
};

/* What some slot asks for: what it needs is in the program, and what nobody asks for is not. */
#define MARCH_FEATURE_STATEFUL 1u   /* an allowing slot whose packets make flows */
#define MARCH_FEATURE_TREATMENTS 2u /* a treatment that is not 0 */
#define MARCH_FEATURE_LIMITS 4u
#define MARCH_FEATURE_REJECTS 8u

/* What a program must know at compile time; constants in the generated C, data for the host. */
struct march_shape {
  struct march_family_shape v4;
  struct march_family_shape v6;
  uint8_t list_max;          /* entries of a list, at most; 0: there are no lists */
  uint8_t table_depth;       /* halvings that settle a table over layer 4; 0: there are none */
  uint8_t source_port_depth; /* of a table over source ports */
  uint8_t set_depth;         /* of a set of many intervals */
  uint8_t source_ports;      /* 1: some set asks for source ports */
  uint8_t audits;            /* 1: some mapping is under audit */
  uint8_t default_action;    /* MARCH_ACTION_* */
  uint8_t features;          /* MARCH_FEATURE_* */
  uint8_t reserved[40];
};

/* One packet, as its headers say; addresses in host order, IPv4 in the low 32 bits of `lo`. */
struct march_key {
  uint64_t src_hi;
  uint64_t src_lo;
  uint64_t dst_hi;
  uint64_t dst_lo;
  uint32_t l4;          /* MARCH_L4_KEY, or MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0) */
  uint32_t source_port; /* 0 for protocols without ports, and for later fragments */
  uint32_t family;      /* 4 or 6 */
  /* What follows is not judged: it is for connections. */
  uint32_t fragment;    /* MARCH_FRAGMENT: one of several, the first included; else 0 */
  uint32_t fragment_id; /* identification, of a fragment */
  uint32_t l4_at;       /* bytes from the frame's start to layer 4; 0 for later fragments */
  uint32_t l4_bytes;    /* of layer 4 and what it carries, by the IP header */
  uint32_t detail;      /* TCP: its flags, of ICMP and ICMPv6: the identifier; else 0 */
};

#define MARCH_FRAGMENT 1u

#endif
