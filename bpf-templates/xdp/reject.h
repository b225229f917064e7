/* What becomes of a packet that is rejected, where the gateway answers (march_config.reject). */
#ifndef MARCH_BPF_TEMPLATES_XDP_REJECT_H
#define MARCH_BPF_TEMPLATES_XDP_REJECT_H

#include "common/bpf.h"

/* XDP_TX or XDP_REDIRECT: the frame is the answer. Where layer 4 is, and how long, is 0 and 0 of a
 * later fragment. xdp/reject.c */
MARCH_APART int march_answer(struct xdp_md* context, uint32_t l4_at, uint32_t l4_bytes);

#endif
