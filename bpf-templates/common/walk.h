/* Walks the classifier tables (bundle/abi/tables.h). The one implementation: the includer defines
 *
 *   march_tables_ref               a type by which tables are reached
 *   march_word(tables, index)      the word at `index`; 0 when there is none
 *   MARCH_INLINE                   static inline, as its compiler wants it
 *
 * so that the same walk runs in the kernel (over a BPF array) and on the host (over the file). A
 * zero word never leads to more than verdict 0, which is deny. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_WALK_H
#define MARCH_BPF_TEMPLATES_COMMON_WALK_H

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

/* The value of the last entry with a key not above `key`, in the packed run `run`. Every step loads
 * one word and halves the run without a data-dependent branch; `depth` steps settle any run of the
 * table, and a shorter one rests at its answer. */
MARCH_INLINE uint32_t march_search(march_tables_ref tables, uint64_t run, uint32_t key,
                                   uint32_t depth) {
  const uint64_t probe = ((uint64_t)key << 32) | 0xffffffffu;
  uint32_t at = (uint32_t)run;
  uint32_t left = (uint32_t)(run >> 32);
  for (uint32_t step = 0; step < depth; ++step) {
    const uint32_t half = left >> 1;
    at += march_word(tables, at + half) <= probe ? half : 0;
    left -= half;
  }
  return (uint32_t)march_word(tables, at);
}

/* As march_search, in a split run: `count` keys from `base` on, their payloads behind them. */
MARCH_INLINE uint64_t march_search_split(march_tables_ref tables, uint32_t base, uint32_t count,
                                         uint64_t key, uint32_t depth) {
  uint32_t at = base;
  uint32_t left = count;
  for (uint32_t step = 0; step < depth; ++step) {
    const uint32_t half = left >> 1;
    at += march_word(tables, at + half) <= key ? half : 0;
    left -= half;
  }
  return march_word(tables, at + count);
}

MARCH_INLINE uint32_t march_find_class4(march_tables_ref tables, const struct march_find4* find,
                                        uint32_t address) {
  const uint32_t slot = find->root_bits ? address >> (32 - find->root_bits) : 0;
  return march_search(tables, march_word(tables, find->root + slot), address, find->depth);
}

MARCH_INLINE uint32_t march_find_class6(march_tables_ref tables, const struct march_find6* find,
                                        uint64_t high, uint64_t low) {
  uint64_t payload = march_search_split(tables, find->base, find->count, high, find->depth);
  if (find->low_depth != 0 && (payload & MARCH_PAYLOAD_RUN) != 0) {
    payload = march_search_split(tables, (uint32_t)payload & 0x7fffffffu,
                                 (uint32_t)(payload >> 32) & 0x7fffffffu, low, find->low_depth);
  }
  return (uint32_t)payload;
}

/* What an entry of a layer-4 table says: the verdict, and in `audit` the slot of the mapping under
 * audit that would judge, 0 for none. */
MARCH_INLINE uint32_t march_settle(march_tables_ref tables, const struct march_shape* shape,
                                   uint32_t verdict, uint32_t* audit) {
  *audit = 0;
  if (shape->audit_words == 0 || (verdict & MARCH_VERDICT_AUDITED) == 0) return verdict;
  const uint64_t word = march_word(tables, shape->audit_words + MARCH_VERDICT_SLOT(verdict));
  *audit = (uint32_t)(word >> 32);
  return (uint32_t)word;
}

/* The verdict (bundle/abi/verdict.h) on a packet, and who would judge it under audit, or 0. */
MARCH_INLINE uint32_t march_classify(march_tables_ref tables, const struct march_shape* shape,
                                     const struct march_key* key, uint32_t* audit) {
  uint32_t l4_table;
  if (key->family == 4) {
    const uint32_t src = march_find_class4(tables, &shape->src4, (uint32_t)key->src_lo);
    const uint32_t dst = march_find_class4(tables, &shape->dst4, (uint32_t)key->dst_lo);
    const uint64_t row = march_word(tables, shape->rows4.row_words + src);
    l4_table = march_search(tables, row, dst, shape->rows4.depth);
  } else {
    const uint32_t src = march_find_class6(tables, &shape->src6, key->src_hi, key->src_lo);
    const uint32_t dst = march_find_class6(tables, &shape->dst6, key->dst_hi, key->dst_lo);
    const uint64_t row = march_word(tables, shape->rows6.row_words + src);
    l4_table = march_search(tables, row, dst, shape->rows6.depth);
  }
  const uint64_t run = march_word(tables, shape->l4_words + l4_table);
  return march_settle(tables, shape, march_search(tables, run, key->l4, shape->l4_depth), audit);
}

#endif
