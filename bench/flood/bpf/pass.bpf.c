/* Lets every packet in unseen. */
#include "common/bpf.h"

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  (void)context;
  return XDP_PASS;
}

char march_license[] SEC("license") = "GPL";
