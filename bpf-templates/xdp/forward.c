/* Forwards what may pass in place of the kernel (`forward: fast`): asks for the kernel's route and
 * neighbour, counts down the TTL and sends the frame out. It does only what is the same for every
 * packet. All else is left to the kernel, which answers, fragments, resolves or drops as it would
 * have without us; the statistics say why.
 *
 * Follows RFC 1812, 5.2 and 5.3.1 (checksum and TTL), RFC 1624 (the checksum of a changed header),
 * RFC 8200, 3 (hop limit) and 4.3 (hop-by-hop options). */
#include "xdp/part.h"

#include "xdp/forward.h"
#include "xdp/interfaces.h"

/* When a packet was last left to the kernel, so that it noticed a next hop is in use. */
#define MARCH_REFRESH_SHIFT 32 /* of nanoseconds: 4.3 s */

struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, 1 << MARCH_REFRESH_BITS);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, uint32_t);
} march_refreshed SEC(".maps");

static long (*const bpf_fib_lookup)(void* context, void* lookup, int bytes,
                                    uint32_t flags) = (void*)69;

#define MARCH_FAMILY_IPV4 2 /* AF_INET */
#define MARCH_FAMILY_IPV6 10

/* What bpf_fib_lookup is asked and answers: struct bpf_fib_lookup. Ports and addresses are in the
 * order of their bytes. */
struct march_route {
  uint8_t family;
  uint8_t protocol;
  uint16_t source_port;
  uint16_t destination_port;
  uint16_t bytes; /* of the packet */
  uint32_t ifindex;
  uint32_t service; /* IPv4: type of service; IPv6: traffic class and flow label */
  uint32_t src[4];
  uint32_t dst[4];
  uint32_t vlan;
  uint8_t src_mac[6];
  uint8_t dst_mac[6];
};

enum march_route_answer {
  MARCH_ROUTE_FOUND = 0,
  MARCH_ROUTE_DISABLED = 5,
  MARCH_ROUTE_TUNNEL = 6,
  MARCH_ROUTE_NO_NEIGHBOUR = 7,
  MARCH_ROUTE_TOO_LARGE = 8
};

MARCH_INLINE uint32_t march_route_problem(long answer) {
  if (answer == MARCH_ROUTE_DISABLED) return MARCH_STATISTIC_KERNEL_DISABLED;
  if (answer == MARCH_ROUTE_TUNNEL) return MARCH_STATISTIC_KERNEL_TUNNEL;
  if (answer == MARCH_ROUTE_NO_NEIGHBOUR) return MARCH_STATISTIC_KERNEL_NEIGHBOUR;
  if (answer == MARCH_ROUTE_TOO_LARGE) return MARCH_STATISTIC_KERNEL_MTU;
  return MARCH_STATISTIC_KERNEL_LOCAL;
}

/* A frame ends where its packet does, or is filled up to the least that Ethernet has. */
MARCH_INLINE uint32_t march_ends_with_packet(uint64_t frame_bytes, uint32_t packet_bytes) {
  return frame_bytes <= 60 || frame_bytes == 14 + (uint64_t)packet_bytes;
}

/* Who computes the checksum of layer 4 in the last moment has put the sum over the addresses,
 * protocol and length there, which only the kernel knows to complete. `l4_bytes` is the length,
 * `sum` that of the addresses. A finished checksum is the same once in 2^16 times. */
MARCH_INLINE uint32_t march_is_unfinished(const uint8_t* l4, const uint8_t* end, uint32_t protocol,
                                          uint32_t l4_bytes, uint64_t sum) {
  uint32_t at = 0;
  if (protocol == MARCH_PROTO_TCP) {
    at = 16;
  } else if (protocol == MARCH_PROTO_UDP) {
    at = 6;
  } else {
    /* What a tunnel holds may be unfinished as well. */
    return protocol != MARCH_PROTO_ICMP && protocol != MARCH_PROTO_ICMPV6;
  }
  const uint8_t* checksum = l4 + at;
  if (checksum + 2 > end) return 1;
  return march_raw16_at(checksum) == march_fold(sum + __builtin_bswap32(protocol + l4_bytes));
}

/* Asks for the route of a packet whose headers are whole and ordinary. MARCH_STATISTIC_*. */
MARCH_INLINE uint32_t march_ask_ipv4(struct xdp_md* context, const struct march_interface* in,
                                     const uint8_t* data, const uint8_t* end,
                                     struct march_route* route) {
  const uint8_t* ip = data + 14;
  if (ip + 28 > end || ip[0] != 0x45) return MARCH_STATISTIC_KERNEL_HEADERS;
  const uint32_t bytes = march_be16(ip + 2);
  if (!march_ends_with_packet((uint64_t)(end - data), bytes)) {
    return MARCH_STATISTIC_KERNEL_HEADERS;
  }
  const uint64_t addresses = (uint64_t)march_raw32_at(ip + 12) + march_raw32_at(ip + 16);
  const uint64_t sum =
      addresses + march_raw32_at(ip) + march_raw32_at(ip + 4) + march_raw32_at(ip + 8);
  if (march_fold(sum) != 0xffff) return MARCH_STATISTIC_KERNEL_HEADERS;
  if (!march_is_routed_ipv4(ip + 12) || !march_is_routed_ipv4(ip + 16)) {
    return MARCH_STATISTIC_KERNEL_ADDRESS;
  }
  if (ip[8] <= 1) return MARCH_STATISTIC_KERNEL_TTL;
  const uint32_t protocol = ip[9];
  const uint32_t is_fragment = (march_be16(ip + 6) & 0x3fff) != 0;
  const uint32_t flags = in->flags;
  if ((flags & MARCH_INTERFACE_LOCAL) && !is_fragment &&
      march_is_unfinished(ip + 20, end, protocol, bytes - 20, addresses)) {
    return MARCH_STATISTIC_KERNEL_CHECKSUM;
  }
  route->family = MARCH_FAMILY_IPV4;
  if (flags & (MARCH_INTERFACE_STRICT | MARCH_INTERFACE_LOOSE)) {
    route->ifindex = context->ingress_ifindex;
    route->src[0] = march_raw32_at(ip + 16);
    route->dst[0] = march_raw32_at(ip + 12);
    const long answer = bpf_fib_lookup(context, route, sizeof(*route), 0);
    if (answer != MARCH_ROUTE_FOUND && answer != MARCH_ROUTE_NO_NEIGHBOUR) {
      return MARCH_STATISTIC_KERNEL_SOURCE;
    }
    if ((flags & MARCH_INTERFACE_STRICT) && route->ifindex != context->ingress_ifindex) {
      return MARCH_STATISTIC_KERNEL_SOURCE;
    }
  }
  /* The answer stands where the question was. */
  route->family = MARCH_FAMILY_IPV4;
  route->protocol = (uint8_t)protocol;
  if (!is_fragment && (protocol == MARCH_PROTO_TCP || protocol == MARCH_PROTO_UDP ||
                       protocol == MARCH_PROTO_SCTP)) {
    route->source_port = (uint16_t)march_raw16_at(ip + 20);
    route->destination_port = (uint16_t)march_raw16_at(ip + 22);
  }
  route->bytes = (uint16_t)bytes;
  route->ifindex = context->ingress_ifindex;
  route->service = ip[1];
  route->src[0] = march_raw32_at(ip + 12);
  route->dst[0] = march_raw32_at(ip + 16);
  const long answer = bpf_fib_lookup(context, route, sizeof(*route), 0);
  return answer == MARCH_ROUTE_FOUND ? MARCH_STATISTIC_FORWARDED : march_route_problem(answer);
}

MARCH_INLINE uint32_t march_ask_ipv6(struct xdp_md* context, const struct march_interface* in,
                                     const uint8_t* data, const uint8_t* end,
                                     struct march_route* route) {
  const uint8_t* ip = data + 14;
  if (ip + 48 > end) return MARCH_STATISTIC_KERNEL_HEADERS;
  const uint32_t payload = march_be16(ip + 4);
  const uint32_t protocol = ip[6];
  if (protocol == MARCH_PROTO_HOP_BY_HOP || payload > 0xffff - 40 ||
      !march_ends_with_packet((uint64_t)(end - data), payload + 40)) {
    return MARCH_STATISTIC_KERNEL_HEADERS;
  }
  if (!march_is_routed_ipv6(ip + 8) || !march_is_routed_ipv6(ip + 24)) {
    return MARCH_STATISTIC_KERNEL_ADDRESS;
  }
  if (ip[7] <= 1) return MARCH_STATISTIC_KERNEL_TTL;
  uint64_t addresses = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    route->src[i] = march_raw32_at(ip + 8 + i * 4);
    route->dst[i] = march_raw32_at(ip + 24 + i * 4);
    addresses += (uint64_t)route->src[i] + route->dst[i];
  }
  if ((in->flags & MARCH_INTERFACE_LOCAL) && protocol != MARCH_PROTO_FRAGMENT &&
      march_is_unfinished(ip + 40, end, protocol, payload, addresses)) {
    return MARCH_STATISTIC_KERNEL_CHECKSUM;
  }
  route->family = MARCH_FAMILY_IPV6;
  route->protocol = (uint8_t)protocol;
  if (protocol == MARCH_PROTO_TCP || protocol == MARCH_PROTO_UDP || protocol == MARCH_PROTO_SCTP) {
    route->source_port = (uint16_t)march_raw16_at(ip + 40);
    route->destination_port = (uint16_t)march_raw16_at(ip + 42);
  }
  route->bytes = (uint16_t)(payload + 40);
  route->ifindex = context->ingress_ifindex;
  route->service = march_raw32_at(ip) & __builtin_bswap32(0x0fffffff);
  const long answer = bpf_fib_lookup(context, route, sizeof(*route), 0);
  return answer == MARCH_ROUTE_FOUND ? MARCH_STATISTIC_FORWARDED : march_route_problem(answer);
}

/* The kernel asks a neighbour whether it is still there only while it sends to it itself. So one
 * packet each few seconds goes that way. Two next hops that share a place do so for one turn. */
MARCH_INLINE uint32_t march_is_refresh_due(const struct march_route* route) {
  const uint32_t turn = (uint32_t)(bpf_ktime_get_coarse_ns() >> MARCH_REFRESH_SHIFT) + 1;
  const uint32_t mixed = (march_raw32_at(route->dst_mac + 2) + turn) * 0x9e3779b1u;
  const uint32_t place = (mixed ^ route->ifindex * 0x85ebca6bu) >> (32 - MARCH_REFRESH_BITS);
  uint32_t* last = bpf_map_lookup_elem(&march_refreshed, &place);
  if (!last || *last == turn) return 0;
  *last = turn;
  return 1;
}

/* `data` has room for the headers that were read. On the stack, words lie at their own multiples.
 */
MARCH_INLINE void march_rewrite(uint8_t* data, uint32_t type, const struct march_route* route) {
  uint8_t* ip = data + 14;
  if (type == MARCH_ETH_IPV4) {
    /* One from the TTL is 0x0100 to the sum; of the two zeros, the one that RFC 1624 asks for. */
    const uint32_t sum = march_be16(ip + 10) + 0x0100;
    march_put16(ip + 10, sum + (sum >= 0xffff));
    ip[8] -= 1;
  } else {
    ip[7] -= 1;
  }
  *(march_raw16*)data = (uint16_t)march_raw16_at(route->dst_mac);
  *(march_raw32*)(data + 2) = march_raw32_at(route->dst_mac + 2);
  *(march_raw32*)(data + 6) = march_raw32_at(route->src_mac);
  *(march_raw16*)(data + 10) = (uint16_t)march_raw16_at(route->src_mac + 4);
}

/* Verifiers from Linux 6.13 until well into 6.19 believe that bpf_fib_lookup leaves everything as
 * it is (fixed by 802eef5afb18), and would know of zeros that they stay zeros. Of a packet's bytes
 * they know nothing. */
MARCH_INLINE void march_forget_macs(const uint8_t* data, struct march_route* route) {
  *(march_raw32*)route->src_mac = march_raw32_at(data + 6);
  *(march_raw16*)(route->src_mac + 4) = (uint16_t)march_raw16_at(data + 10);
  *(march_raw16*)route->dst_mac = (uint16_t)march_raw16_at(data);
  *(march_raw32*)(route->dst_mac + 2) = march_raw32_at(data + 2);
}

/* MARCH_STATISTIC_FORWARDED: the frame is as it goes to `route`; else it is as it was. */
MARCH_INLINE uint32_t march_find_way(struct xdp_md* context, struct march_route* route) {
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  if (data + 14 + 28 > end) return MARCH_STATISTIC_KERNEL_HEADERS;
  const struct march_interface* in = march_find_interface(context->ingress_ifindex);
  if (!in || !(in->flags & MARCH_INTERFACE_FAST)) return MARCH_STATISTIC_KERNEL_INTERFACE;
  if (!march_is_to_mac(data, in)) return MARCH_STATISTIC_KERNEL_ADDRESS;
  march_forget_macs(data, route);
  const uint32_t type = march_be16(data + 12);
  uint32_t asked = MARCH_STATISTIC_KERNEL_HEADERS;
  if (type == MARCH_ETH_IPV4) {
    asked = march_ask_ipv4(context, in, data, end, route);
  } else if (type == MARCH_ETH_IPV6) {
    asked = march_ask_ipv6(context, in, data, end, route);
  }
  if (asked != MARCH_STATISTIC_FORWARDED) return asked;
  const struct march_interface* out = march_find_interface(route->ifindex);
  /* Back to where it came from: the kernel tells the sender of the shorter way. */
  if (!out || !(out->flags & MARCH_INTERFACE_TRANSMITS) || out == in) {
    return MARCH_STATISTIC_KERNEL_INTERFACE;
  }
  /* Before Linux 6.4, a neighbour that is being asked for counts as found. */
  if ((march_raw16_at(route->dst_mac) | march_raw32_at(route->dst_mac + 2)) == 0) {
    return MARCH_STATISTIC_KERNEL_NEIGHBOUR;
  }
  if (march_is_refresh_due(route)) return MARCH_STATISTIC_KERNEL_REFRESH;
  march_rewrite(data, type, route);
  return MARCH_STATISTIC_FORWARDED;
}

MARCH_APART int march_forward(struct xdp_md* context) {
  if (!march_config.forward.fast || !context) return XDP_PASS;
  struct march_route route = {0};
  const uint32_t found = march_find_way(context, &route);
  march_statistic(found);
  if (found != MARCH_STATISTIC_FORWARDED) return XDP_PASS;
  return (int)bpf_redirect(route.ifindex, 0);
}
