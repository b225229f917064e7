/* Walks the classifier tables (bundle/abi/tables.h). The one implementation, compiled for the
 * kernel (over a BPF array) and for the host (over the file). The includer defines
 *
 *   march_tables_ref               a type by which tables are reached
 *   march_line(tables, index)      the eight words of the line at `index`; null when there is none
 *   MARCH_INLINE                   static inline, as its compiler wants it
 *   MARCH_OPAQUE(variable)         hides from the compiler what it knows of a bound, so that it
 *                                  leaves the constant one, which the verifier needs
 *
 * includes common/leaf.h, and defines
 *
 *   march_weigh_any(tables, shape, w)  march_weigh_leaf, out of line: rarely needed, and long
 *
 * Everything is bounded by `shape`, and nothing here can fail but the tables: whatever leads
 * outside of them ends at once in verdict 0, which is deny. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_WALK_H
#define MARCH_BPF_TEMPLATES_COMMON_WALK_H

#include "bundle/abi/pair_hash.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

/* The value for the low 15 bits of `address` in a short line: twelve comparisons in three
 * subtractions, since a lane's guard bit stays set where its key is not above. */
MARCH_INLINE uint32_t march_search_short(const uint64_t* line, uint32_t address) {
  const uint64_t ones = 0x0001000100010001ull;
  const uint64_t guards = ones << MARCH_SHORT_KEY_BITS;
  const uint64_t probe = ((address & 0x7fffu) * ones) | guards;
  uint64_t hits = ((probe - line[0]) & guards) >> MARCH_SHORT_KEY_BITS;
  hits += ((probe - line[1]) & guards) >> MARCH_SHORT_KEY_BITS;
  hits += ((probe - line[2]) & guards) >> MARCH_SHORT_KEY_BITS;
  return march_half_of(line, MARCH_SHORT_VALUES + (uint32_t)((hits * ones) >> 48));
}

MARCH_INLINE uint32_t march_search_long(const uint64_t* line, uint64_t key) {
  uint32_t rank = MARCH_LONG_KEYS;
  rank -= march_below(key, line[0]);
  rank -= march_below(key, line[1]);
  rank -= march_below(key, line[2]);
  rank -= march_below(key, line[3]);
  rank -= march_below(key, line[4]);
  return march_half_of(line, MARCH_LONG_VALUES + rank);
}

/* The cell of an IPv4 address, or, without cells, its line. */
MARCH_INLINE uint32_t march_cell4(march_tables_ref tables, const struct march_family_shape* bounds,
                                  uint32_t root, uint32_t address, uint32_t* broken) {
  const uint32_t root_bits = bounds->root_bits;
  const uint64_t slot =
      march_word(tables, root + (uint32_t)((uint64_t)address >> (32 - root_bits)), broken);
  if (*broken) return 0;
  const uint32_t offset = (uint32_t)(((uint64_t)address << root_bits) & 0xffffffffu) >> root_bits;
  const uint32_t cell = (uint32_t)slot + (offset >> ((uint32_t)(slot >> 32) & 31));
  return bounds->direct ? cell : march_half(tables, cell, broken);
}

/* What a line says of an IPv4 address. */
MARCH_INLINE uint32_t march_line4(march_tables_ref tables, uint32_t value, uint32_t address,
                                  uint32_t* broken) {
  const uint64_t* line = march_line(tables, value);
  if (!line) {
    *broken = 1;
    return 0;
  }
  return march_search_short(line, address);
}

/* One step of an IPv4 search; a value with a class stays what it is. Which it is, is as good as
 * random, so there is no branch: for a class, some line is searched and what it says thrown away.
 */
MARCH_INLINE uint32_t march_step4(march_tables_ref tables, uint32_t value, uint32_t address,
                                  uint32_t* broken) {
  const uint32_t is_class = 0 - (value >> 31);
  const uint32_t found = march_line4(tables, value & ~is_class, address, broken);
  return (value & is_class) | (found & ~is_class);
}

/* One step of an IPv6 search by one half of the address. */
MARCH_INLINE uint32_t march_step6(march_tables_ref tables, uint32_t value, uint64_t key,
                                  uint32_t* broken) {
  const uint32_t index = value & MARCH_VALUE_INDEX;
  if (value & MARCH_VALUE_LEAF) return value;
  if (value & MARCH_VALUE_SPAN) {
    const uint64_t* line = march_line(tables, index >> 2);
    if (!line) {
      *broken = 1;
      return value;
    }
    const uint64_t start = line[(index & 3) << 1];
    const uint64_t span = line[((index & 3) << 1) | 1];
    uint64_t cell = key < start ? 0 : (key - start) >> (span >> 32 & 63);
    if (cell > span >> 40) cell = span >> 40;
    return march_half(tables, (uint32_t)span + (uint32_t)cell, broken);
  }
  const uint64_t* line = march_line(tables, index);
  if (!line) {
    *broken = 1;
    return value;
  }
  return march_search_long(line, key);
}

/* How many of the fences in `line` are not above `class_id`, which has 31 bits. */
MARCH_INLINE uint32_t march_rank_fences(const uint64_t* line, uint32_t class_id) {
  const uint64_t ones = 0x0000000100000001ull;
  const uint64_t guards = ones << 31;
  const uint64_t probe = (class_id * ones) | guards;
  uint64_t hits = 0;
  for (uint32_t i = 1; i < MARCH_LINE_WORDS; ++i) hits += ((probe - line[i]) & guards) >> 31;
  return (uint32_t)hits + (uint32_t)(hits >> 32);
}

/* The leaf for `class_id` in the row of `record`, whose tail has at most `levels` levels. */
MARCH_INLINE uint64_t march_find_in_row(march_tables_ref tables, const uint64_t* record,
                                        uint32_t class_id, uint32_t levels, uint32_t* broken) {
  const uint64_t fence = record[1];
  if (levels == 0 || class_id < (uint32_t)(fence >> 32)) {
    /* Ranges do not overlap: the one that starts last decides. */
    const uint64_t probe = class_id + 1ull;
    uint32_t rank = (uint32_t)(((record[2] >> 32) - probe) >> 63);
    rank += (uint32_t)(((record[4] >> 32) - probe) >> 63);
    rank += (uint32_t)(((record[6] >> 32) - probe) >> 63);
    /* Rank 0 reads words 0 and 1, of which it takes nothing. */
    const uint64_t range = record[(rank << 1) & 7];
    const uint64_t leaf = record[((rank << 1) | 1) & 7];
    return rank != 0 && class_id <= (uint32_t)range ? leaf : 0;
  }
  uint32_t at = (uint32_t)fence & (MARCH_TAIL_LINES - 1);
  uint32_t tail = (uint32_t)(fence >> 28) & 15;
  for (uint32_t level = 1; level < levels; ++level) {
    MARCH_OPAQUE(tail);
    if (level >= tail) break;
    const uint64_t* fences = march_line(tables, at);
    if (!fences) {
      *broken = 1;
      return 0;
    }
    at = (uint32_t)fences[0] + march_rank_fences(fences, class_id);
  }
  const uint64_t* line = march_line(tables, at);
  if (!line) {
    *broken = 1;
    return 0;
  }
  const uint64_t probe = class_id + 1ull;
  uint32_t rank = (uint32_t)(((line[0] >> 32) - probe) >> 63);
  rank += (uint32_t)(((line[2] >> 32) - probe) >> 63);
  rank += (uint32_t)(((line[4] >> 32) - probe) >> 63);
  rank += (uint32_t)(((line[6] >> 32) - probe) >> 63);
  if (rank == 0) return 0;
  const uint64_t range = line[((rank - 1) << 1) & 7];
  return class_id <= (uint32_t)range ? line[(((rank - 1) << 1) | 1) & 7] : 0;
}

/* The leaf of a pair of classes in the table of pairs, 0 if it has none. */
MARCH_INLINE uint64_t march_find_pair(march_tables_ref tables, const struct march_family* family,
                                      uint32_t source, uint32_t destination, uint32_t* broken) {
  const uint32_t bits = family->pair_bits;
  const uint64_t key = march_pair_key(source, destination, family->pair_destination_bits, bits);
  const uint64_t* line =
      march_line(tables, family->pairs + (uint32_t)march_pair_line(key, bits, family->pair_lines));
  if (!line) {
    *broken = 1;
    return 0;
  }
  const uint64_t tag = march_pair_tag(key);
  uint64_t pair = 0;
  for (uint32_t i = 0; i < MARCH_LINE_WORDS; ++i) {
    /* All ones where the tag is the pair's, without a branch. */
    pair |= line[i] & (uint64_t)((int64_t)((line[i] >> MARCH_PAIR_TAG_SHIFT ^ tag) - 1) >> 63);
  }
  uint64_t leaf = march_pair_leaf(pair, family->pair_slot_bits);
  if (pair != 0 && MARCH_PAIR_KIND(pair) == MARCH_LEAF_NONE) {
    leaf |= march_word(tables, (uint32_t)pair & (MARCH_PAIR_WORDS - 1), broken);
  }
  return leaf;
}

/* Adds the mappings of a leaf to what matched. The most frequent leaf, one mapping with one range
 * of ports, is weighed here. */
MARCH_INLINE void march_weigh(march_tables_ref tables, const struct march_shape* shape,
                              uint64_t leaf, struct march_weighing* w) {
  if (leaf == 0) return;
  const uint32_t set = (uint32_t)(leaf >> 32) & (MARCH_MAX_SETS - 1);
  const uint32_t verdict = (uint32_t)leaf;
  if (MARCH_LEAF_KIND(leaf) == MARCH_LEAF_RULE && (w->l4 & MARCH_L4_FRAGMENT) == 0 &&
      (!shape->audits || (verdict & MARCH_VERDICT_AUDITED) == 0)) {
    const uint64_t* line = march_line(tables, (w->sets + set * 2) >> 3);
    if (!line) {
      w->broken = 1;
      return;
    }
    const uint64_t l4 = line[(w->sets + set * 2) & 6];
    const uint64_t ports = shape->source_ports ? line[((w->sets + set * 2) & 6) | 1] : 0;
    if (((l4 | ports) & MARCH_SET_MANY) == 0) {
      /* Numbers below 2^32: a difference below zero has its upper bit set. */
      uint64_t outside = ((uint64_t)w->l4 - (uint32_t)l4) | ((l4 >> 32) - w->l4);
      if (shape->source_ports) {
        outside |= ((uint64_t)w->source_port - (uint32_t)ports) | ((ports >> 32) - w->source_port);
      }
      if (outside >> 63 == 0 && verdict < w->decider) w->decider = verdict;
      return;
    }
  }
  w->leaf = leaf;
  march_weigh_any(tables, shape, w);
}

/* The verdict on a packet of which `w` says what matched, and who would judge it under audit. */
MARCH_INLINE uint32_t march_settle(const struct march_shape* shape, const struct march_weighing* w,
                                   uint32_t* audit) {
  const uint32_t by_default = MARCH_VERDICT(shape->default_action, MARCH_SLOT_DEFAULT);
  *audit = 0;
  if (shape->audits && w->audit < w->decider && (w->audit & MARCH_VERDICT_PERHAPS) == 0) {
    *audit = MARCH_VERDICT_SLOT(w->audit);
  }
  if (w->decider == MARCH_VERDICT_NONE) return by_default;
  if ((w->decider & MARCH_VERDICT_PERHAPS) == 0) return w->decider;
  /* A fragment passes if the first mapping that matches it at every port allows it, and none that
   * may match before that denies. */
  const uint32_t allows =
      w->certain == MARCH_VERDICT_NONE ? shape->default_action : w->certain & 1u;
  if (allows && w->deny >= w->certain) return w->decider & ~MARCH_VERDICT_PERHAPS;
  return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_FRAGMENT);
}

/* What is in the views for a pair of classes. */
MARCH_INLINE void march_meet(march_tables_ref tables, const struct march_shape* shape,
                             const struct march_family_shape* bounds,
                             const struct march_family* family, uint32_t source,
                             uint32_t destination, struct march_weighing* w) {
  if ((bounds->views & (MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION)) != 0) {
    uint64_t leaf = 0;
    if (bounds->shared) destination /= MARCH_PAIR_SALTS;
    if (bounds->views & MARCH_VIEW_PAIRS) {
      leaf = march_find_pair(tables, family, source, destination, &w->broken);
      if (w->broken) return;
      if (leaf & MARCH_LEAF_FINAL) {
        march_weigh(tables, shape, leaf, w);
        return;
      }
    }
    const uint32_t number =
        march_half(tables, family->source_records + source / MARCH_PAIR_SALTS, &w->broken);
    if (w->broken) return;
    const uint64_t* from = march_line(tables, number);
    if (!from) {
      w->broken = 1;
      return;
    }
    if (bounds->views & MARCH_VIEW_SOURCE) {
      if (leaf == 0) {
        leaf = march_find_in_row(tables, from, destination, bounds->source_tail, &w->broken);
        if (w->broken) return;
      }
      march_weigh(tables, shape, leaf, w);
      if (w->broken || (leaf & MARCH_LEAF_FINAL) != 0) return;
    }
    if ((bounds->views & (MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX)) == 0) return;
    const uint32_t record =
        march_half(tables, family->destination_records + destination, &w->broken);
    if (w->broken) return;
    const uint64_t* to = march_line(tables, record);
    if (!to) {
      w->broken = 1;
      return;
    }
    if (bounds->views & MARCH_VIEW_DESTINATION) {
      leaf = march_find_in_row(tables, to, (uint32_t)(from[0] >> 32), bounds->destination_tail,
                               &w->broken);
      if (w->broken) return;
      march_weigh(tables, shape, leaf, w);
      if (w->broken || (leaf & MARCH_LEAF_FINAL) != 0) return;
    }
    source = (uint32_t)from[0];
    destination = (uint32_t)to[0];
  }
  if (bounds->views & MARCH_VIEW_MATRIX) {
    const uint64_t leaf =
        march_word(tables, family->matrix + source * family->width + destination, &w->broken);
    if (w->broken) return;
    march_weigh(tables, shape, leaf, w);
  }
}

/* Both addresses are searched step by step together, so that the memory of one is fetched while
 * the other is looked at. */
MARCH_INLINE void march_find_and_meet4(march_tables_ref tables, const struct march_shape* shape,
                                       const struct march_family* family,
                                       const struct march_key* key, struct march_weighing* w) {
  if (shape->v4.views == 0) return;
  const uint32_t src = (uint32_t)key->src_lo;
  const uint32_t dst = (uint32_t)key->dst_lo;
  uint32_t source = march_cell4(tables, &shape->v4, family->source, src, &w->broken);
  if (w->broken) return;
  uint32_t destination = march_cell4(tables, &shape->v4, family->destination, dst, &w->broken);
  if (w->broken) return;
  uint32_t step = 0;
  if (shape->v4.direct) {
    /* Root words lead to lines, never to classes. */
    source = march_line4(tables, source, src, &w->broken);
    if (w->broken) return;
    destination = march_line4(tables, destination, dst, &w->broken);
    if (w->broken) return;
    step = 1;
  }
  for (; step < shape->v4.depth; ++step) {
    /* Behind the first line, few searches go on. */
    if (step != 0 && (source & destination & MARCH_VALUE_LEAF) != 0) break;
    source = march_step4(tables, source, src, &w->broken);
    if (w->broken) return;
    destination = march_step4(tables, destination, dst, &w->broken);
    if (w->broken) return;
  }
  march_meet(tables, shape, &shape->v4, family, source & ~MARCH_VALUE_LEAF,
             destination & ~MARCH_VALUE_LEAF, w);
}

MARCH_INLINE void march_find_and_meet6(march_tables_ref tables, const struct march_shape* shape,
                                       const struct march_family* family,
                                       const struct march_key* key, struct march_weighing* w) {
  if (shape->v6.views == 0) return;
  uint32_t source = family->source;
  uint32_t destination = family->destination;
  for (uint32_t step = 0; step < shape->v6.depth; ++step) {
    if ((source & MARCH_VALUE_LOW) == 0) {
      source = march_step6(tables, source, key->src_hi, &w->broken);
      if (w->broken) return;
    }
    if ((destination & MARCH_VALUE_LOW) == 0) {
      destination = march_step6(tables, destination, key->dst_hi, &w->broken);
      if (w->broken) return;
    }
  }
  for (uint32_t step = 0; step < shape->v6.low_depth; ++step) {
    source = march_step6(tables, source, key->src_lo, &w->broken);
    if (w->broken) return;
    destination = march_step6(tables, destination, key->dst_lo, &w->broken);
    if (w->broken) return;
  }
  march_meet(tables, shape, &shape->v6, family, source & ~MARCH_VALUE_LEAF,
             destination & ~MARCH_VALUE_LEAF, w);
}

/* The verdict (bundle/abi/verdict.h) on a packet, and who would judge it under audit, or 0. */
MARCH_INLINE uint32_t march_classify(march_tables_ref tables, const struct march_shape* shape,
                                     const struct march_key* key, uint32_t* audit) {
  *audit = 0;
  const struct march_family* family =
      (const struct march_family*)march_line(tables, key->family == 4 ? 1 : 2);
  if (!family) return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  struct march_weighing w = {0,
                             family->sets,
                             key->l4,
                             key->source_port,
                             MARCH_VERDICT_NONE,
                             MARCH_VERDICT_NONE,
                             MARCH_VERDICT_NONE,
                             MARCH_VERDICT_NONE,
                             0};
  if (key->family == 4) {
    march_find_and_meet4(tables, shape, family, key, &w);
  } else {
    march_find_and_meet6(tables, shape, family, key, &w);
  }
  if (w.broken) return MARCH_VERDICT(MARCH_ACTION_DENY, MARCH_SLOT_INTERNAL);
  return march_settle(shape, &w, audit);
}

#endif
