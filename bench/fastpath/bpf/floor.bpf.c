/* The floor: reads the packet as the generated programs do, and decides nothing. */
#include "common/bpf.h"

#include "common/packet.h"

SEC("xdp")
int bench_subject(struct xdp_md* context) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  struct march_key key = {0};
  const uint32_t slot = march_read_frame(data, end, &key);
  /* Everything that was read is used, so that nothing of the reading is left out. */
  const uint64_t all =
      key.src_hi ^ key.src_lo ^ key.dst_hi ^ key.dst_lo ^ key.l4 ^ key.source_port ^ slot;
  return all == 0x1234567890abcdefull ? XDP_PASS : XDP_DROP;
}

char march_license[] SEC("license") = "GPL";
