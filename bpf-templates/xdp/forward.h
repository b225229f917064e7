/* What becomes of a packet that may pass, where the gateway forwards (march_config.forward). */
#ifndef MARCH_BPF_TEMPLATES_XDP_FORWARD_H
#define MARCH_BPF_TEMPLATES_XDP_FORWARD_H

#include "common/bpf.h"

/* XDP_PASS leaves it to the kernel. xdp/forward.c */
MARCH_APART int march_forward(struct xdp_md* context);

#endif
