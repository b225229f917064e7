/* Answers in the place of a packet: which get one, and segments of TCP. They go back the way that
 * the packet came, VLAN tags and all.
 *
 * Follows RFC 9293, 3.10.7.1 (resets), RFC 1122, 3.2.2, and RFC 4443, 2.4 (what is never answered).
 */
#ifndef MARCH_BPF_TEMPLATES_XDP_ANSWER_H
#define MARCH_BPF_TEMPLATES_XDP_ANSWER_H

#include "xdp/interfaces.h"

static long (*const bpf_xdp_adjust_head)(struct xdp_md* context, int by) = (void*)44;
static long (*const bpf_xdp_adjust_tail)(struct xdp_md* context, int by) = (void*)65;

#define MARCH_ANSWER_TTL 64u
#define MARCH_ANSWER_DF 0x4000u

/* What becomes of a frame that was turned into an answer, or was not: it leaves by the interface
 * where it came in. Between the ends of a pair, XDP_TX would wait until something else is sent. */
MARCH_INLINE int march_send_back(const struct march_interface* in, int answered) {
  if (answered != XDP_TX || !(in->flags & MARCH_INTERFACE_PAIRED)) return answered;
  return (int)bpf_redirect(in->ifindex, 0);
}

/* Where IP begins, or 0. The frame has been read before, so this is to find it again. */
MARCH_INLINE uint32_t march_ip_at(const uint8_t* data, const uint8_t* end, uint32_t* type) {
  uint32_t at = 14;
  if (data + 14 + 8 > end) return 0;
  *type = march_be16(data + 12);
  for (uint32_t i = 0; i < MARCH_MAX_VLAN_TAGS; ++i) {
    if (*type != MARCH_ETH_VLAN && *type != MARCH_ETH_QINQ) break;
    *type = march_be16(data + at + 2);
    at += 4;
  }
  return at;
}

/* A number to the compiler too, which would otherwise subtract from half an address. */
MARCH_INLINE uint64_t march_frame_bytes(const uint8_t* data, const uint8_t* end) {
  uint64_t bytes = (uint64_t)(end - data);
  MARCH_OPAQUE(bytes);
  return bytes;
}

MARCH_INLINE void march_turn_macs(uint8_t* data) {
  const uint32_t dst_first = march_raw32_at(data);
  const uint32_t dst_last = march_raw16_at(data + 4);
  *(march_raw32*)data = march_raw32_at(data + 6);
  *(march_raw16*)(data + 4) = (uint16_t)march_raw16_at(data + 10);
  *(march_raw32*)(data + 6) = dst_first;
  *(march_raw16*)(data + 10) = (uint16_t)dst_last;
}

/* `ip` has its addresses already. */
MARCH_INLINE void march_write_ipv4(uint8_t* ip, uint32_t service, uint32_t bytes,
                                   uint32_t protocol) {
  march_put16(ip, 0x4500 | service);
  march_put16(ip + 2, bytes);
  march_put32(ip + 4, MARCH_ANSWER_DF);
  march_put16(ip + 8, MARCH_ANSWER_TTL << 8 | protocol);
  *(march_raw16*)(ip + 10) = 0;
  uint64_t sum = 0;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 20; i += 4) sum += march_raw32_at(ip + i);
  *(march_raw16*)(ip + 10) = (uint16_t)~march_fold(sum);
}

MARCH_INLINE void march_write_ipv6(uint8_t* ip, uint32_t payload, uint32_t protocol) {
  march_put32(ip, 6u << 28);
  march_put32(ip + 4, payload << 16 | protocol << 8 | MARCH_ANSWER_TTL);
}

/* The sum over what a checksum of layer 4 covers beside it. `addresses` are `words` words. */
MARCH_INLINE uint64_t march_pseudo_sum(const uint8_t* addresses, uint32_t words, uint32_t protocol,
                                       uint32_t bytes) {
  uint64_t sum = __builtin_bswap32(protocol + bytes);
  MARCH_UNROLLED
  for (uint32_t i = 0; i < words; ++i) sum += march_raw32_at(addresses + (uint64_t)i * 4);
  return sum;
}

/* A frame has no less than 60 bytes on the wire; what it is filled up with says nothing. */
MARCH_INLINE int march_cut_frame(struct xdp_md* context, uint32_t needed) {
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint64_t bytes = march_frame_bytes(data, end);
  uint64_t rest = needed;
  MARCH_OPAQUE(rest);
  for (uint32_t i = 0; i < 6 && rest < 60 && rest < bytes; ++i) {
    uint8_t* filled = data + (rest & 63);
    if (filled + 1 > end) break;
    *filled = 0;
    rest += 1;
  }
  return (int)bpf_xdp_adjust_tail(context, (int)(rest - bytes));
}

/* A segment of TCP without data, with a window of 0. */
struct march_segment {
  uint32_t sequence;
  uint32_t acknowledgement;
  uint32_t flags;
};

/* What a reset says (RFC 9293, 3.10.7.1), by what it answers. */
MARCH_INLINE struct march_segment march_reset_of(const uint8_t* tcp, uint32_t bytes) {
  struct march_segment reset = {0, 0, MARCH_TCP_RST};
  const uint32_t flags = tcp[13];
  if (flags & MARCH_TCP_ACK) {
    reset.sequence = march_be32(tcp + 8);
    return reset;
  }
  const uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
  const uint32_t data = bytes > header ? bytes - header : 0;
  reset.acknowledgement =
      march_be32(tcp + 4) + data + ((flags & MARCH_TCP_SYN) != 0) + (flags & MARCH_TCP_FIN);
  reset.flags |= MARCH_TCP_ACK;
  return reset;
}

/* Over the packet's own headers, which are no shorter. Options and extension headers go. */
MARCH_INLINE int march_answer_segment(struct xdp_md* context, uint32_t ip_at, uint32_t type,
                                      uint32_t l4_at, struct march_segment answer) {
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  const uint8_t* old = data + (l4_at & MARCH_MAX_L4_AT);
  uint8_t* ip = data + (ip_at & 31);
  if (old + 20 > end || ip + 40 > end) return XDP_DROP;
  const uint32_t ports = march_raw32_at(old);
  uint8_t* tcp = 0;
  uint64_t sum = 0;
  if (type == MARCH_ETH_IPV4) {
    tcp = ip + 20;
    const uint32_t src = march_raw32_at(ip + 12);
    *(march_raw32*)(ip + 12) = march_raw32_at(ip + 16);
    *(march_raw32*)(ip + 16) = src;
    march_write_ipv4(ip, 0, 40, MARCH_PROTO_TCP);
    sum = march_pseudo_sum(ip + 12, 2, MARCH_PROTO_TCP, 20);
  } else {
    tcp = ip + 40;
    if (tcp + 20 > end) return XDP_DROP;
    MARCH_UNROLLED
    for (uint32_t i = 8; i < 24; i += 4) {
      const uint32_t src = march_raw32_at(ip + i);
      *(march_raw32*)(ip + i) = march_raw32_at(ip + i + 16);
      *(march_raw32*)(ip + i + 16) = src;
    }
    march_write_ipv6(ip, 20, MARCH_PROTO_TCP);
    sum = march_pseudo_sum(ip + 8, 8, MARCH_PROTO_TCP, 20);
  }
  *(march_raw32*)tcp = ports << 16 | ports >> 16;
  march_put32(tcp + 4, answer.sequence);
  march_put32(tcp + 8, answer.acknowledgement);
  march_put32(tcp + 12, 5u << 28 | answer.flags << 16);
  march_put32(tcp + 16, 0);
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 20; i += 4) sum += march_raw32_at(tcp + i);
  *(march_raw16*)(tcp + 16) = (uint16_t)~march_fold(sum);
  march_turn_macs(data);
  return march_cut_frame(context, ip_at + (type == MARCH_ETH_IPV4 ? 40 : 60)) == 0 ? XDP_TX
                                                                                   : XDP_DROP;
}

/* Types that are errors themselves, and the redirect (RFC 1122, 3.2.2; RFC 4443, 2.4e). */
MARCH_INLINE uint32_t march_answers_icmp(uint32_t protocol, uint32_t icmp_type) {
  if (protocol == MARCH_PROTO_ICMPV6) return icmp_type >= 128 && icmp_type != 137;
  return icmp_type != 3 && icmp_type != 4 && icmp_type != 5 && icmp_type != 11 && icmp_type != 12;
}

MARCH_INLINE uint32_t march_is_answerable_ipv4(const uint8_t* src, const uint8_t* dst) {
  return src[0] != 0 && src[0] != 127 && src[0] < 224 && dst[0] < 224;
}

MARCH_INLINE uint32_t march_is_answerable_ipv6(const uint8_t* src, const uint8_t* dst) {
  const uint32_t any = march_raw32_at(src) | march_raw32_at(src + 4) | march_raw32_at(src + 8) |
                       march_raw32_at(src + 12);
  return any != 0 && src[0] != 0xff && dst[0] != 0xff;
}

/* What a packet that is rejected needs for its answer. */
struct march_answer {
  uint32_t type; /* EtherType */
  uint32_t ip_at;
  uint32_t ip_bytes;
  uint32_t protocol; /* of layer 4 */
};

/* 0: none is due. Behind IPv6 extension headers there is none, since they may say otherwise. */
MARCH_INLINE uint32_t march_read_rejected(struct xdp_md* context, const struct march_interface* in,
                                          uint32_t l4_at, struct march_answer* answer) {
  const uint8_t* data = (const uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  answer->ip_at = march_ip_at(data, end, &answer->type);
  if (answer->ip_at == 0 || !march_is_to_mac(data, in)) return 0;
  const uint8_t* ip = data + (answer->ip_at & 31);
  const uint8_t* l4 = data + (l4_at & MARCH_MAX_L4_AT);
  if (ip + 20 > end || l4 + 4 > end) return 0;
  if (answer->type == MARCH_ETH_IPV4) {
    if (!march_is_answerable_ipv4(ip + 12, ip + 16)) return 0;
    answer->ip_bytes = march_be16(ip + 2);
    answer->protocol = ip[9];
  } else {
    if (ip + 40 > end || l4_at != answer->ip_at + 40) return 0;
    if (!march_is_answerable_ipv6(ip + 8, ip + 24)) return 0;
    answer->ip_bytes = march_be16(ip + 4) + 40;
    answer->protocol = ip[6];
  }
  if (answer->protocol == MARCH_PROTO_TCP) return l4 + 20 <= end && (l4[13] & MARCH_TCP_RST) == 0;
  const uint32_t icmp = answer->type == MARCH_ETH_IPV4 ? MARCH_PROTO_ICMP : MARCH_PROTO_ICMPV6;
  return answer->protocol != icmp || march_answers_icmp(icmp, l4[0]);
}

#endif
