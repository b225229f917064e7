/* Drops every packet unseen. */
#include "common/bpf.h"

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  (void)context;
  return XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
