/* bpf-templates/common/limit.h compiled for the host, over memory and a time that a test gives it.
 */
#ifndef MARCH_TESTS_LIMITS_NATIVE_LIMIT_H
#define MARCH_TESTS_LIMITS_NATIVE_LIMIT_H

#include <stdint.h>

#include "bundle/abi/config.h"
#include "bundle/abi/limit.h"
#include "bundle/abi/tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One gateway; threads share `lines` and have their own `time`. */
struct native_gateway {
  struct march_config config; /* limits.lines of them */
  struct march_bucket_line* lines;
  uint64_t statistics[MARCH_STATISTICS];
};

/* As march_limit_admits has it, of a mapping with these limits. The cheap clock is `late`
 * nanoseconds behind. */
uint32_t native_limit_admits(struct native_gateway* gateway, const struct march_limit* limits,
                             uint32_t count, const struct march_key* key, uint64_t bytes,
                             uint32_t is_new_flow, uint64_t time, uint64_t late);
uint64_t native_limit_hash(const struct native_gateway* gateway, const struct march_limit* limit,
                           const struct march_key* key);
uint32_t native_limit_line_of(const struct native_gateway* gateway, uint64_t hash);
uint32_t native_limit_tag(const struct march_limit* limit, uint64_t hash);

/* Of common/lower_effort.h. */
uint8_t* native_ip_of(uint8_t* data, const uint8_t* end);
void native_set_lower_effort(uint8_t* ip);

#ifdef __cplusplus
}
#endif

#endif
