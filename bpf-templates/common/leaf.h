/* Which mappings of a leaf of the classifier tables (bundle/abi/tables.h) match a packet. See
 * common/walk.h, which leads there and says what the includer defines. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_LEAF_H
#define MARCH_BPF_TEMPLATES_COMMON_LEAF_H

#include "bits.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

/* A packet, and the mappings that matched it so far, each as its verdict, MARCH_VERDICT_NONE for
 * none. Smaller words come before greater ones. */
struct march_weighing {
  uint64_t leaf;        /* the one to look at */
  uint32_t sets;        /* as in march_family */
  uint32_t l4;          /* as in march_key */
  uint32_t source_port; /* likewise */
  uint32_t decider;     /* the first that may match */
  uint32_t certain;     /* the first that matches whatever a fragment's ports are */
  uint32_t deny;        /* the first that may match and does not allow */
  uint32_t audit;       /* the first under audit that may match */
  uint32_t broken;      /* 1: the tables lead outside of themselves */
};

MARCH_INLINE uint32_t march_half_of(const uint64_t* line, uint32_t half) {
  /* The compiler may know that it is small; verifiers before Linux 6.10 have to see it. */
  MARCH_OPAQUE(half);
  return (uint32_t)(line[(half >> 1) & 7] >> ((half & 1) << 5));
}

MARCH_INLINE uint64_t march_word(march_tables_ref tables, uint32_t index, uint32_t* broken) {
  const uint64_t* line = march_line(tables, index >> 3);
  if (!line) {
    *broken = 1;
    return 0;
  }
  return line[index & 7];
}

MARCH_INLINE uint32_t march_half(march_tables_ref tables, uint32_t index, uint32_t* broken) {
  return (uint32_t)(march_word(tables, index >> 1, broken) >> ((index & 1) << 5));
}

/* The low half of the last word of a run whose upper half is not above `key`. Every step halves the
 * run without a data-dependent branch; a shorter run rests at its answer. */
MARCH_INLINE uint32_t march_search_run(march_tables_ref tables, uint32_t at, uint32_t count,
                                       uint32_t key, uint32_t depth, uint32_t* broken) {
  const uint64_t probe = ((uint64_t)key << 32) | 0xffffffffu;
  for (uint32_t step = 0; step < depth; ++step) {
    const uint32_t half = count >> 1;
    const uint64_t word = march_word(tables, at + half, broken);
    if (*broken) return 0;
    at += half & (march_below(probe, word) - 1);
    count -= half;
  }
  return (uint32_t)march_word(tables, at, broken);
}

/* How a packet relates to a mapping's ports. */
#define MARCH_MATCH_NONE 0u
#define MARCH_MATCH_PERHAPS 1u /* a fragment, at some ports only */
#define MARCH_MATCH_YES 2u

/* Of one word of a set: whether [first, last] of the packet lies in it, meets it, or neither. */
MARCH_INLINE uint32_t march_match(march_tables_ref tables, const struct march_shape* shape,
                                  uint64_t set, uint32_t first, uint32_t last, uint32_t* broken) {
  if (shape->set_depth != 0 && (set & MARCH_SET_MANY) != 0) {
    /* The last interval that does not start behind the packet: words are first and last. */
    uint32_t at = (uint32_t)set;
    uint32_t count = (uint32_t)(set >> 32) & 0x3fffffffu;
    for (uint32_t step = 0; step < shape->set_depth; ++step) {
      const uint32_t half = count >> 1;
      const uint64_t word = march_word(tables, at + half, broken);
      if (*broken) return MARCH_MATCH_NONE;
      at += half & (march_below(last, (uint32_t)word) - 1);
      count -= half;
    }
    set = march_word(tables, at, broken);
    if (*broken) return MARCH_MATCH_NONE;
  }
  const uint32_t from = (uint32_t)set;
  const uint32_t to = (uint32_t)(set >> 32) & 0x3fffffffu;
  if (from <= first && last <= to) return MARCH_MATCH_YES;
  return from <= last && first <= to ? MARCH_MATCH_PERHAPS : MARCH_MATCH_NONE;
}

/* Adds the mapping of a RULE word to what matched. 1: nothing behind it in its leaf matters. */
MARCH_INLINE uint32_t march_weigh_rule(march_tables_ref tables, const struct march_shape* shape,
                                       uint64_t rule, struct march_weighing* w) {
  const uint32_t set = (uint32_t)(rule >> 32) & (MARCH_MAX_SETS - 1);
  const uint32_t is_fragment = w->l4 & MARCH_L4_FRAGMENT;
  uint32_t match = MARCH_MATCH_YES;
  if (set != MARCH_SET_ALL_ID) {
    const uint64_t* line = march_line(tables, (w->sets + set * 2) >> 3);
    if (!line) {
      w->broken = 1;
      return 1;
    }
    const uint64_t l4 = line[(w->sets + set * 2) & 6];
    const uint32_t first = w->l4 & ~MARCH_L4_FRAGMENT;
    match =
        march_match(tables, shape, l4, first, is_fragment ? first | 0xffffu : first, &w->broken);
    if (l4 & MARCH_SET_SOME) match = is_fragment ? MARCH_MATCH_PERHAPS : MARCH_MATCH_NONE;
    if (shape->source_ports && match != MARCH_MATCH_NONE) {
      const uint64_t ports = line[((w->sets + set * 2) & 6) | 1];
      const uint32_t by_port = march_match(tables, shape, ports, is_fragment ? 0 : w->source_port,
                                           is_fragment ? 0xffffu : w->source_port, &w->broken);
      if (by_port < match) match = by_port;
    }
    if (w->broken) return 1;
  }
  if (match == MARCH_MATCH_NONE) return 0;
  uint32_t verdict = (uint32_t)rule;
  if (match == MARCH_MATCH_PERHAPS) verdict |= MARCH_VERDICT_PERHAPS;
  if (shape->audits && (verdict & MARCH_VERDICT_AUDITED) != 0) {
    if (verdict < w->audit) w->audit = verdict;
    return 0;
  }
  if (verdict < w->decider) w->decider = verdict;
  if ((verdict & MARCH_ACTION_ALLOW) == 0 && verdict < w->deny) w->deny = verdict;
  if (match == MARCH_MATCH_PERHAPS) return 0;
  if (verdict < w->certain) w->certain = verdict;
  return 1;
}

/* Adds the mappings of any leaf. */
MARCH_INLINE void march_weigh_leaf(march_tables_ref tables, const struct march_shape* shape,
                                   struct march_weighing* weighing) {
  struct march_weighing w = *weighing;
  uint64_t leaf = w.leaf;
  if (shape->table_depth != 0 && MARCH_LEAF_KIND(leaf) == MARCH_LEAF_TABLE &&
      (leaf & MARCH_LEAF_BY_SOURCE_PORT) == 0) {
    const uint32_t at =
        march_search_run(tables, (uint32_t)leaf, (uint32_t)(leaf >> 32) & (MARCH_MAX_SETS - 1),
                         w.l4, shape->table_depth, &w.broken);
    leaf = w.broken ? 0 : march_word(tables, at, &w.broken);
  }
  if (shape->source_port_depth != 0 && MARCH_LEAF_KIND(leaf) == MARCH_LEAF_TABLE) {
    const uint32_t at =
        march_search_run(tables, (uint32_t)leaf, (uint32_t)(leaf >> 32) & (MARCH_MAX_SETS - 1),
                         w.source_port, shape->source_port_depth, &w.broken);
    leaf = w.broken ? 0 : march_word(tables, at, &w.broken);
  }
  if (MARCH_LEAF_KIND(leaf) == MARCH_LEAF_RULE) {
    march_weigh_rule(tables, shape, leaf, &w);
  } else if (shape->list_max != 0 && MARCH_LEAF_KIND(leaf) == MARCH_LEAF_LIST) {
    for (uint32_t i = 0; i < shape->list_max; ++i) {
      MARCH_OPAQUE(i);
      if (i >= ((uint32_t)(leaf >> 32) & 0xffu)) break;
      const uint64_t rule = march_word(tables, (uint32_t)leaf + i, &w.broken);
      if (w.broken || march_weigh_rule(tables, shape, rule, &w)) break;
    }
  }
  *weighing = w;
}

#endif
