/* Answers packets that are rejected, so that their sender need not wait for what never comes: TCP
 * with a reset, as the host itself would that has no such connection, all else with an error of
 * ICMP from the gateway's own address. The answer takes the place of the packet, and goes back the
 * way it came, VLAN tags and all.
 *
 * Follows RFC 9293, 3.10.7.1 (resets), RFC 792 and RFC 1812, 4.3.2 and 5.2.7.1 (IPv4: communication
 * administratively prohibited; what is quoted, and what is never answered), RFC 4443, 2.4 and 3.1
 * (IPv6). */
#include "xdp/part.h"

#include "xdp/reject.h"

#include "xdp/answer.h"

/* For each CPU: until when its answers so far have used up the time, at one each interval. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, 1);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint64_t);
} march_answered SEC(".maps");

/* Internetwork control (RFC 1812, 4.3.2.5). */
#define MARCH_ANSWER_PRECEDENCE 0xc0u
/* Headers before what an error quotes, and how much it may quote: 576 and 1,280 bytes in all. */
#define MARCH_ANSWER_HEADERS_IPV4 28
#define MARCH_ANSWER_HEADERS_IPV6 48
#define MARCH_ANSWER_QUOTED_IPV4 (576u - MARCH_ANSWER_HEADERS_IPV4)
#define MARCH_ANSWER_QUOTED_IPV6 (1280u - MARCH_ANSWER_HEADERS_IPV6)
#define MARCH_ANSWER_ICMP_WORDS ((8u + MARCH_ANSWER_QUOTED_IPV6) / 4)

/* The generic cell rate algorithm (ITU-T I.371). */
MARCH_INLINE uint32_t march_may_answer(void) {
  const uint32_t zero = 0;
  uint64_t* used = bpf_map_lookup_elem(&march_answered, &zero);
  if (!used) return 0;
  const uint64_t now = bpf_ktime_get_coarse_ns();
  const uint64_t from = *used > now ? *used : now;
  if (from - now > march_config.reject.burst) return 0;
  *used = from + march_config.reject.interval;
  return 1;
}

MARCH_INLINE int march_answer_reset(struct xdp_md* context, uint32_t ip_at, uint32_t type,
                                    uint32_t l4_at, uint32_t l4_bytes) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint8_t* tcp = data + (l4_at & MARCH_MAX_L4_AT);
  if (tcp + 20 > end) return XDP_DROP;
  return march_answer_segment(context, ip_at, type, l4_at, march_reset_of(tcp, l4_bytes));
}

/* The sum from `at` to the end of the frame, folded. Looked at by itself: or the verifier would
 * follow what comes behind it for every length that the loop can end at. */
MARCH_APART int march_icmp_sum(struct xdp_md* context, uint32_t at) {
  if (march_config.reject.interval == 0 || !context) return 0;
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint8_t* icmp = data + (at & 127);
  uint64_t sum = 0;
  uint32_t i = 0;
  for (; i < MARCH_ANSWER_ICMP_WORDS; ++i) {
    if (icmp + 4 > end) break;
    sum += march_raw32_at(icmp);
    icmp += 4;
  }
  uint8_t rest[4] = {0};
  for (i = 0; i < 3; ++i) {
    if (icmp + i + 1 > end) break;
    rest[i] = icmp[i];
  }
  return (int)march_fold(sum + march_raw32_at(rest));
}

/* Makes room for `headers` bytes before the packet, of which the frame keeps `quoted`. */
MARCH_INLINE int march_make_room(struct xdp_md* context, uint32_t ip_at, uint32_t headers,
                                 uint32_t quoted) {
  if (bpf_xdp_adjust_head(context, -(int)headers) != 0) return 0;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (data + headers + 22 > end) return 0;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 22; i += 2) {
    /* Beyond the tags, what lies there is written later. */
    *(march_raw16*)(data + i) = (uint16_t)march_raw16_at(data + headers + i);
  }
  march_turn_macs(data);
  const uint64_t bytes = march_frame_bytes(data, end);
  return bpf_xdp_adjust_tail(context, (int)(ip_at + headers + quoted - bytes)) == 0;
}

MARCH_INLINE int march_answer_icmp_ipv4(struct xdp_md* context, const struct march_interface* in,
                                        uint32_t ip_at, uint32_t ip_bytes) {
  const uint32_t quoted = ip_bytes < MARCH_ANSWER_QUOTED_IPV4 ? ip_bytes : MARCH_ANSWER_QUOTED_IPV4;
  if (!march_make_room(context, ip_at, MARCH_ANSWER_HEADERS_IPV4, quoted)) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  uint8_t* ip = data + (ip_at & 31);
  uint8_t* icmp = ip + 20;
  const uint8_t* old = icmp + 8;
  if (old + 20 > end) return XDP_DROP;
  *(march_raw32*)(ip + 12) = in->ipv4 ? __builtin_bswap32(in->ipv4) : march_raw32_at(old + 16);
  *(march_raw32*)(ip + 16) = march_raw32_at(old + 12);
  march_write_ipv4(ip, MARCH_ANSWER_PRECEDENCE, quoted + MARCH_ANSWER_HEADERS_IPV4,
                   MARCH_PROTO_ICMP);
  march_put32(icmp, 3u << 24 | 13u << 16);
  march_put32(icmp + 4, 0);
  *(march_raw16*)(icmp + 2) = (uint16_t)~march_icmp_sum(context, (ip_at & 31) + 20);
  return XDP_TX;
}

MARCH_INLINE int march_answer_icmp_ipv6(struct xdp_md* context, const struct march_interface* in,
                                        uint32_t ip_at, uint32_t ip_bytes) {
  const uint32_t quoted = ip_bytes < MARCH_ANSWER_QUOTED_IPV6 ? ip_bytes : MARCH_ANSWER_QUOTED_IPV6;
  if (!march_make_room(context, ip_at, MARCH_ANSWER_HEADERS_IPV6, quoted)) return XDP_DROP;
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  uint8_t* ip = data + (ip_at & 31);
  uint8_t* icmp = ip + 40;
  const uint8_t* old = icmp + 8;
  if (old + 40 > end) return XDP_DROP;
  const uint32_t has_address = (in->ipv6_hi | in->ipv6_lo) != 0;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 16; i += 4) {
    const uint64_t half = i < 8 ? in->ipv6_hi : in->ipv6_lo;
    const uint32_t own = __builtin_bswap32((uint32_t)(half >> ((i & 4) ? 0 : 32)));
    *(march_raw32*)(ip + 8 + i) = has_address ? own : march_raw32_at(old + 24 + i);
    *(march_raw32*)(ip + 24 + i) = march_raw32_at(old + 8 + i);
  }
  march_write_ipv6(ip, quoted + 8, MARCH_PROTO_ICMPV6);
  march_put32(icmp, 1u << 24 | 1u << 16);
  march_put32(icmp + 4, 0);
  const uint64_t sum = march_pseudo_sum(ip + 8, 8, MARCH_PROTO_ICMPV6, quoted + 8);
  const uint32_t rest = (uint32_t)march_icmp_sum(context, (ip_at & 31) + 40);
  *(march_raw16*)(icmp + 2) = (uint16_t)~march_fold(sum + rest);
  return XDP_TX;
}

MARCH_APART int march_answer(struct xdp_md* context, uint32_t l4_at, uint32_t l4_bytes) {
  if (march_config.reject.interval == 0 || !context) return XDP_DROP;
  const struct march_interface* in = march_find_interface(context->ingress_ifindex);
  struct march_answer answer = {0};
  if (!in || l4_at == 0 || !march_read_rejected(context, in, l4_at, &answer)) {
    march_statistic(MARCH_STATISTIC_ANSWER_NONE);
    return XDP_DROP;
  }
  if (!march_may_answer()) {
    march_statistic(MARCH_STATISTIC_ANSWER_SUPPRESSED);
    return XDP_DROP;
  }
  if (answer.protocol == MARCH_PROTO_TCP) {
    march_statistic(MARCH_STATISTIC_ANSWERED_RESET);
    return march_send_back(in,
                           march_answer_reset(context, answer.ip_at, answer.type, l4_at, l4_bytes));
  }
  march_statistic(MARCH_STATISTIC_ANSWERED_ICMP);
  return march_send_back(in,
                         answer.type == MARCH_ETH_IPV4
                             ? march_answer_icmp_ipv4(context, in, answer.ip_at, answer.ip_bytes)
                             : march_answer_icmp_ipv6(context, in, answer.ip_at, answer.ip_bytes));
}
