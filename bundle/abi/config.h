/* What a gateway's configuration (kind: Runtime) asks of the program that it loads. The object has
 * one `march_config`, all zero, in read-only data; the loader fills it in before it loads, so every
 * value is a constant to the verifier, which removes what is switched off. All zero is a program
 * that judges every packet by itself.
 *
 * Fields are only ever added at the end: a loader leaves what an object does not have. */
#ifndef MARCH_BUNDLE_ABI_CONFIG_H
#define MARCH_BUNDLE_ABI_CONFIG_H

#include "bundle/abi/flow.h"
#include "bundle/abi/types.h"

#define MARCH_CONFIG_SECTION ".rodata.march"

struct march_config {
  uint64_t secret[2]; /* of keyed hashes; the gateway's own, as old as the state it keeps */
  struct march_flow_config flows;
};

/* What is counted beside packets by slot, in the per-CPU array `march_statistics`. */
enum march_statistic {
  MARCH_STATISTIC_FLOWS_OPENED = 0,      /* flows that were made */
  MARCH_STATISTIC_FLOWS_ESTABLISHED = 1, /* of those, in both directions and moved */
  MARCH_STATISTIC_FLOWS_EVICTED = 2,     /* new ones that made room for newer ones */
  MARCH_STATISTIC_FLOWS_NO_ROOM = 3,     /* new ones not moved: the table of others is full */
  MARCH_STATISTIC_FLOWS_CUT = 4,         /* flows that a later policy forbids */
  MARCH_STATISTIC_FLOWS_REPLACED = 5,    /* ended ones whose place was taken before the record */
  MARCH_STATISTIC_RELATED = 6,           /* errors of ICMP that passed with their flow */
  MARCH_STATISTICS = 64
};

#endif
