/* What a part begins with. A part is a source of bpf-templates/xdp whose functions no policy
 * changes: it is compiled once, when marchctl is built, and linked to the programs that call it. So
 * compiling a policy does not compile what a gateway may ask for beside it. */
#ifndef MARCH_BPF_TEMPLATES_XDP_PART_H
#define MARCH_BPF_TEMPLATES_XDP_PART_H

#define MARCH_PART 1

#include "common/bpf.h"

#endif
