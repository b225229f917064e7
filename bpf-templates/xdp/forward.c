/* Forwards what may pass in place of the kernel (`forward: fast`): asks for the kernel's route and
 * neighbour, once in a short while for all packets to an address, or, where routes ask for more
 * than that, of a connection, counts down the TTL and sends the frame out. It does only what is the
 * same for every packet. All else is left to the kernel, which answers, fragments, resolves or
 * drops as it would have without us; the statistics say why.
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

/* This CPU's. */
struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  MARCH_MAP_UINT(max_entries, 1 << MARCH_NEXT_HOP_BITS);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_next_hops);
} march_next_hops SEC(".maps");

static long (*const bpf_fib_lookup)(void* context, void* lookup, int bytes,
                                    uint32_t flags) = (void*)69;

#define MARCH_FAMILY_IPV4 2 /* AF_INET */
#define MARCH_FAMILY_IPV6 10
/* In a next hop: that a source is where packets from it come in. */
#define MARCH_FAMILY_WAY_BACK 0x82

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

/* What is to be asked of a packet, or why it is the kernel's: its headers are not whole or not
 * ordinary. MARCH_STATISTIC_*. */
MARCH_INLINE uint32_t march_question_ipv4(const struct march_interface* in, const uint8_t* data,
                                          const uint8_t* end, struct march_route* route) {
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
  if (ip[8] <= 1) return MARCH_STATISTIC_KERNEL_TTL;
  const uint32_t protocol = ip[9];
  const uint32_t is_fragment = (march_be16(ip + 6) & 0x3fff) != 0;
  if ((in->flags & MARCH_INTERFACE_LOCAL) && !is_fragment &&
      march_is_unfinished(ip + 20, end, protocol, bytes - 20, addresses)) {
    return MARCH_STATISTIC_KERNEL_CHECKSUM;
  }
  if (!march_is_routed_ipv4(ip + 12)) return MARCH_STATISTIC_KERNEL_ADDRESS;
  route->family = MARCH_FAMILY_IPV4;
  route->protocol = (uint8_t)protocol;
  if (!is_fragment && (protocol == MARCH_PROTO_TCP || protocol == MARCH_PROTO_UDP ||
                       protocol == MARCH_PROTO_SCTP)) {
    route->source_port = (uint16_t)march_raw16_at(ip + 20);
    route->destination_port = (uint16_t)march_raw16_at(ip + 22);
  }
  route->bytes = (uint16_t)bytes;
  route->service = ip[1];
  route->src[0] = march_raw32_at(ip + 12);
  route->dst[0] = march_raw32_at(ip + 16);
  return MARCH_STATISTIC_FORWARDED;
}

MARCH_INLINE uint32_t march_question_ipv6(const struct march_interface* in, const uint8_t* data,
                                          const uint8_t* end, struct march_route* route) {
  const uint8_t* ip = data + 14;
  if (ip + 48 > end) return MARCH_STATISTIC_KERNEL_HEADERS;
  const uint32_t payload = march_be16(ip + 4);
  const uint32_t protocol = ip[6];
  if (protocol == MARCH_PROTO_HOP_BY_HOP || payload > 0xffff - 40 ||
      !march_ends_with_packet((uint64_t)(end - data), payload + 40)) {
    return MARCH_STATISTIC_KERNEL_HEADERS;
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
  if (!march_is_routed_ipv6(ip + 8)) return MARCH_STATISTIC_KERNEL_ADDRESS;
  route->family = MARCH_FAMILY_IPV6;
  route->protocol = (uint8_t)protocol;
  if (protocol == MARCH_PROTO_TCP || protocol == MARCH_PROTO_UDP || protocol == MARCH_PROTO_SCTP) {
    route->source_port = (uint16_t)march_raw16_at(ip + 40);
    route->destination_port = (uint16_t)march_raw16_at(ip + 42);
  }
  route->bytes = (uint16_t)(payload + 40);
  route->service = march_raw32_at(ip) & __builtin_bswap32(0x0fffffff);
  return MARCH_STATISTIC_FORWARDED;
}

/* The kernel asks a neighbour whether it is still there only while it sends to it itself. So one
 * packet each few seconds goes that way. Two next hops that share a place do so for one turn. */
MARCH_INLINE uint32_t march_is_refresh_due(const struct march_next_hop* hop) {
  const uint32_t turn = (uint32_t)(bpf_ktime_get_coarse_ns() >> MARCH_REFRESH_SHIFT) + 1;
  const uint32_t mixed = (march_raw32_at(hop->mac + 2) + turn) * 0x9e3779b1u;
  const uint32_t place = (mixed ^ hop->out * 0x85ebca6bu) >> (32 - MARCH_REFRESH_BITS);
  uint32_t* last = bpf_map_lookup_elem(&march_refreshed, &place);
  if (!last || *last == turn) return 0;
  *last = turn;
  return 1;
}

/* Whether routes ask for no more than the destination, the class of service and the interface where
 * a packet comes in, as far as marchd has said, and said lately. */
MARCH_INLINE uint64_t march_plain_until(const struct march_interface* in, uint32_t family) {
  return family == MARCH_FAMILY_IPV4 ? in->plain_until[0] : in->plain_until[1];
}

MARCH_INLINE struct march_next_hops* march_place_at(uint32_t mixed) {
  mixed *= 0xc2b2ae35u;
  const uint32_t place = mixed >> (32 - MARCH_NEXT_HOP_BITS);
  return bpf_map_lookup_elem(&march_next_hops, &place);
}

MARCH_INLINE uint32_t march_mix_end(uint32_t address, uint32_t ifindex) {
  const uint32_t mixed = (address ^ ifindex * 0x9e3779b1u) * 0x85ebca6bu;
  return mixed ^ mixed >> 15;
}

/* Where the answer for an address or a connection is, in this turn or from an earlier one. */
MARCH_INLINE struct march_next_hops* march_place_of(const struct march_route* route,
                                                    uint32_t ifindex, uint32_t is_plain) {
  uint32_t src = route->src[0];
  uint32_t dst = route->dst[0];
  if (route->family == MARCH_FAMILY_IPV6) {
    src ^= route->src[1] ^ route->src[2] ^ route->src[3];
    dst ^= route->dst[1] ^ route->dst[2] ^ route->dst[3];
  }
  if (is_plain) return march_place_at(march_mix_end(dst, ifindex));
  const uint32_t ports = (uint32_t)route->source_port << 16 | route->destination_port;
  return march_place_at((((src * 0x9e3779b1u) ^ dst) * 0x85ebca6bu) ^ ports);
}

/* The type of service or the traffic class, without the flow label. */
#define MARCH_ROUTE_CLASS __builtin_bswap32(0xfff00000)

/* What is asked of a connection beyond what is asked of each packet to its destination. */
MARCH_INLINE uint32_t march_is_other_connection(const struct march_next_hop* hop,
                                                const struct march_route* route) {
  uint32_t other = (hop->service ^ route->service) | (uint32_t)(hop->protocol ^ route->protocol) |
                   (uint32_t)(hop->ports[0] ^ route->source_port) |
                   (uint32_t)(hop->ports[1] ^ route->destination_port) |
                   (hop->src[0] ^ route->src[0]);
  if (route->family == MARCH_FAMILY_IPV6) {
    MARCH_UNROLLED
    for (uint32_t i = 1; i < 4; ++i) other |= hop->src[i] ^ route->src[i];
  }
  return other;
}

/* One that fits is the answer for this packet too. A larger packet is asked for anew, so that only
 * the kernel's word makes it too large. */
MARCH_INLINE uint32_t march_fits(const struct march_next_hop* hop, const struct march_route* route,
                                 uint32_t ifindex, uint32_t turn) {
  uint32_t other = (hop->turn ^ turn) | (hop->in ^ ifindex) |
                   ((hop->service ^ route->service) & MARCH_ROUTE_CLASS) |
                   (uint32_t)(hop->family ^ route->family) | (hop->dst[0] ^ route->dst[0]);
  if (route->family == MARCH_FAMILY_IPV6) {
    MARCH_UNROLLED
    for (uint32_t i = 1; i < 4; ++i) other |= hop->dst[i] ^ route->dst[i];
  }
  if (other != 0 || route->bytes > hop->bytes) return 0;
  return hop->is_plain || march_is_other_connection(hop, route) == 0;
}

/* The way back to an IPv4 packet's source, which is asked for as strictly as the interface asks
 * (RFC 3704, 2). Of `route`, the addresses are the packet's; it is no more than scratch afterwards,
 * and may have been before. */
MARCH_INLINE uint32_t march_ask_way_back(struct xdp_md* context, const struct march_interface* in,
                                         struct march_route* route) {
  const uint32_t source = route->src[0];
  route->family = MARCH_FAMILY_IPV4; /* an answer may say IPv6, of its gateway */
  route->protocol = 0;
  route->source_port = 0;
  route->destination_port = 0;
  route->bytes = 0;
  route->ifindex = context->ingress_ifindex;
  route->service = 0;
  route->src[0] = route->dst[0];
  route->dst[0] = source;
  const long answer = bpf_fib_lookup(context, route, sizeof(*route), 0);
  if (answer != MARCH_ROUTE_FOUND && answer != MARCH_ROUTE_NO_NEIGHBOUR) return 0;
  return !(in->flags & MARCH_INTERFACE_STRICT) || route->ifindex == context->ingress_ifindex;
}

/* Likewise, where one answer serves all packets from that source. It may take the place of the
 * packet's own next hop, of which it leaves the answer as it is. */
MARCH_INLINE uint32_t march_is_way_back(struct xdp_md* context, const struct march_interface* in,
                                        struct march_route* route, uint32_t turn) {
  const uint32_t ifindex = context->ingress_ifindex;
  const uint32_t source = route->src[0];
  struct march_next_hops* place = march_place_at(march_mix_end(source, ifindex));
  if (!place) return 0;
  struct march_next_hop* hop = &place->hops[0];
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 2; ++i) {
    if (((place->hops[i].turn ^ turn) | (place->hops[i].in ^ ifindex) |
         (uint32_t)(place->hops[i].family ^ MARCH_FAMILY_WAY_BACK) |
         (place->hops[i].dst[0] ^ source)) == 0) {
      return 1;
    }
  }
  if (hop->turn == turn) hop = &place->hops[1];
  if (!march_ask_way_back(context, in, route)) return 0;
  hop->family = MARCH_FAMILY_WAY_BACK;
  hop->turn = turn;
  hop->in = ifindex;
  hop->dst[0] = source;
  return 1;
}

/* The answer for a connection or, with `is_plain`, for all packets to its destination. `route` is
 * the question, and afterwards no more than scratch. The answer is in `hop`, together with the
 * question. MARCH_STATISTIC_*. */
MARCH_INLINE uint32_t march_ask(struct xdp_md* context, const struct march_interface* in,
                                struct march_route* route, struct march_next_hop* hop,
                                uint32_t turn, uint32_t is_plain) {
  const uint8_t family = route->family;
  const uint16_t bytes = route->bytes;
  hop->family = 0;
  hop->turn = turn;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < 4; ++i) {
    hop->src[i] = route->src[i];
    hop->dst[i] = route->dst[i];
  }
  hop->in = context->ingress_ifindex;
  hop->service = route->service;
  hop->ports[0] = route->source_port;
  hop->ports[1] = route->destination_port;
  hop->protocol = route->protocol;
  hop->is_plain = (uint8_t)is_plain;
  const uint8_t* destination = (const uint8_t*)hop->dst;
  if (family == MARCH_FAMILY_IPV4 ? !march_is_routed_ipv4(destination)
                                  : !march_is_routed_ipv6(destination)) {
    return MARCH_STATISTIC_KERNEL_ADDRESS;
  }
  if (!is_plain && family == MARCH_FAMILY_IPV4 &&
      (in->flags & (MARCH_INTERFACE_STRICT | MARCH_INTERFACE_LOOSE))) {
    if (!march_ask_way_back(context, in, route)) return MARCH_STATISTIC_KERNEL_SOURCE;
    /* The answer stands where the question was. */
    route->family = family;
    route->protocol = hop->protocol;
    route->source_port = hop->ports[0];
    route->destination_port = hop->ports[1];
    route->bytes = bytes;
    route->service = hop->service;
    route->src[0] = hop->src[0];
    route->dst[0] = hop->dst[0];
  }
  route->ifindex = context->ingress_ifindex;
  const long answer = bpf_fib_lookup(context, route, sizeof(*route), 0);
  if (answer != MARCH_ROUTE_FOUND) return march_route_problem(answer);
  /* Since Linux 5.12 the route's MTU; before, and where that has more than 16 bits, no more is
   * known than that this one fits. */
  hop->bytes = route->bytes > bytes ? route->bytes : bytes;
  hop->out = route->ifindex;
  *(march_raw16*)hop->mac = (uint16_t)march_raw16_at(route->dst_mac);
  *(march_raw32*)(hop->mac + 2) = march_raw32_at(route->dst_mac + 2);
  hop->family = family;
  return MARCH_STATISTIC_FORWARDED;
}

/* `data` has room for the headers that were read. */
MARCH_INLINE void march_rewrite(uint8_t* data, uint32_t type, const struct march_next_hop* hop,
                                const struct march_interface* out) {
  uint8_t* ip = data + 14;
  if (type == MARCH_ETH_IPV4) {
    /* One from the TTL is 0x0100 to the sum; of the two zeros, the one that RFC 1624 asks for. */
    const uint32_t sum = march_be16(ip + 10) + 0x0100;
    march_put16(ip + 10, sum + (sum >= 0xffff));
    ip[8] -= 1;
  } else {
    ip[7] -= 1;
  }
  *(march_raw16*)data = (uint16_t)march_raw16_at(hop->mac);
  *(march_raw32*)(data + 2) = march_raw32_at(hop->mac + 2);
  *(march_raw32*)(data + 6) = march_raw32_at(out->mac);
  *(march_raw16*)(data + 10) = (uint16_t)march_raw16_at(out->mac + 4);
}

/* Verifiers from Linux 6.13 until well into 6.19 believe that bpf_fib_lookup leaves everything as
 * it is (fixed by 802eef5afb18), and would know of zeros that they stay zeros. Of a packet's bytes
 * they know nothing. On the stack, words lie at their own multiples. */
MARCH_INLINE void march_forget_mac(const uint8_t* data, struct march_route* route) {
  *(march_raw16*)route->dst_mac = (uint16_t)march_raw16_at(data);
  *(march_raw32*)(route->dst_mac + 2) = march_raw32_at(data + 2);
}

/* The way out, and the frame is as it goes there; or 0, and it is as it was. `why`:
 * MARCH_STATISTIC_*. */
MARCH_INLINE uint32_t march_find_way(struct xdp_md* context, uint32_t* why) {
  uint8_t* data = (uint8_t*)(uint64_t)context->data;
  const uint8_t* end = (const uint8_t*)(uint64_t)context->data_end;
  *why = MARCH_STATISTIC_KERNEL_HEADERS;
  if (data + 14 + 28 > end) return 0;
  const uint32_t ifindex = context->ingress_ifindex;
  const struct march_interface* in = march_find_interface(ifindex);
  *why = MARCH_STATISTIC_KERNEL_INTERFACE;
  if (!in || !(in->flags & MARCH_INTERFACE_FAST)) return 0;
  *why = MARCH_STATISTIC_KERNEL_ADDRESS;
  if (!march_is_to_mac(data, in)) return 0;
  struct march_route route = {0};
  march_forget_mac(data, &route);
  const uint32_t type = march_be16(data + 12);
  *why = MARCH_STATISTIC_KERNEL_HEADERS;
  if (type == MARCH_ETH_IPV4) {
    *why = march_question_ipv4(in, data, end, &route);
  } else if (type == MARCH_ETH_IPV6) {
    *why = march_question_ipv6(in, data, end, &route);
  }
  if (*why != MARCH_STATISTIC_FORWARDED) return 0;
  const uint64_t plain_until = march_plain_until(in, route.family);
  struct march_next_hops* place = march_place_of(&route, ifindex, plain_until != 0);
  *why = MARCH_STATISTIC_KERNEL_INTERFACE;
  if (!place) return 0;
  const uint32_t turn = (uint32_t)(bpf_jiffies64() >> MARCH_NEXT_HOP_SHIFT);
  const uint32_t source = route.src[0];
  struct march_next_hop* hop = &place->hops[0];
  uint32_t is_known = march_fits(hop, &route, ifindex, turn);
  /* The second one is another's only while the first one is in use. */
  if (!is_known && hop->turn == turn) {
    hop = &place->hops[1];
    is_known = march_fits(hop, &route, ifindex, turn);
  }
  if (!is_known) {
    const uint32_t is_plain = bpf_ktime_get_coarse_ns() < plain_until;
    *why = march_ask(context, in, &route, hop, turn, is_plain);
    if (*why != MARCH_STATISTIC_FORWARDED) return 0;
  }
  if (type == MARCH_ETH_IPV4 && hop->is_plain &&
      (in->flags & (MARCH_INTERFACE_STRICT | MARCH_INTERFACE_LOOSE))) {
    route.src[0] = source;
    route.dst[0] = hop->dst[0];
    *why = MARCH_STATISTIC_KERNEL_SOURCE;
    if (!march_is_way_back(context, in, &route, turn)) {
      /* Of a new next hop, nothing was looked at yet. */
      if (!is_known) hop->family = 0;
      return 0;
    }
  }
  const struct march_interface* out = march_find_interface(hop->out);
  /* Back to where it came from: the kernel tells the sender of the shorter way. */
  *why = MARCH_STATISTIC_KERNEL_INTERFACE;
  if (!out || !(out->flags & MARCH_INTERFACE_TRANSMITS) || out == in) return 0;
  if (!is_known) {
    /* Before Linux 6.4, a neighbour that is being asked for counts as found. */
    *why = MARCH_STATISTIC_KERNEL_NEIGHBOUR;
    if ((march_raw16_at(hop->mac) | march_raw32_at(hop->mac + 2)) == 0) {
      hop->family = 0;
      return 0;
    }
    *why = MARCH_STATISTIC_KERNEL_REFRESH;
    if (march_is_refresh_due(hop)) {
      hop->family = 0;
      return 0;
    }
  }
  *why = MARCH_STATISTIC_FORWARDED;
  march_rewrite(data, type, hop, out);
  return hop->out;
}

MARCH_APART int march_forward(struct xdp_md* context) {
  if (!march_config.forward.fast || !context) return XDP_PASS;
  uint32_t why = 0;
  const uint32_t out = march_find_way(context, &why);
  march_statistic(why);
  if (out == 0) return XDP_PASS;
  return (int)bpf_redirect(out, 0);
}
