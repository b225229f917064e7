/* SYN cookies in the XDP program (common/cookie.h): whose connections have to wait until their
 * source has proved to be real. Compiled in with connections, in force when the gateway is
 * configured so (march_config.abuse.cookies).
 *
 * Only what the policy allows is answered, and an answer is no longer than what it answers. */
#ifndef MARCH_BPF_TEMPLATES_XDP_COOKIE_H
#define MARCH_BPF_TEMPLATES_XDP_COOKIE_H

#include "common/bpf.h"

#include "bundle/abi/tables.h"
#include "xdp/gateway.h"

MARCH_INLINE uint32_t march_gives_cookies(void) {
  return march_config.abuse.cookies.lines != 0;
}

/* Of a segment that would begin a connection, and may: 1 if it is to be answered and not to go on.
 * xdp/cookie.c */
MARCH_APART int march_must_prove(struct xdp_md* context, const struct march_key* key);

/* From here on its connections need not wait. */
MARCH_APART int march_take_for_real(uint32_t family, uint64_t hi, uint64_t lo);

/* A SYN gets a cookie, and who gives one back, a reset: it was a connection with nobody. */
MARCH_APART int march_answer_cookie(struct xdp_md* context, const struct march_key* key);

#endif
