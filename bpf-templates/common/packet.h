/* Reads the headers of a frame down to what a policy judges. The one implementation, compiled for
 * BPF and for the host (where it is fuzzed under sanitizers).
 *
 * It never trusts a length: every read is checked against the end of the frame, and layer 4 must
 * lie inside what the IP header says the packet is. Whatever it cannot read with certainty gets a
 * slot of its own that drops (bundle/abi/verdict.h).
 *
 * Follows RFC 791, 1858 and 3128 (IPv4, tiny and overlapping fragments), RFC 8200, 5095, 6946, 7112
 * (IPv6, routing header type 0, atomic fragments, header chain in the first fragment), RFC 5722
 * (overlapping IPv6 fragments), RFC 4861 (neighbour discovery), IEEE 802.1Q and 802.1ad (VLAN
 * tags).
 *
 * The includer defines MARCH_INLINE and MARCH_FORGET(value, length): `value`, of which the verifier
 * then knows nothing. In a loop over headers of variable length it would otherwise follow every
 * combination of lengths, and look at more than twice as many instructions. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_PACKET_H
#define MARCH_BPF_TEMPLATES_COMMON_PACKET_H

#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"

/* A packet that was read in full: judge it by its key. No real slot has this number. */
#define MARCH_JUDGE 0xffffffffu

#define MARCH_MAX_VLAN_TAGS 2
#define MARCH_MAX_EXTENSIONS 8
#define MARCH_MAX_IPV4_OPTION_BYTES 40

#define MARCH_ETH_IPV4 0x0800u
#define MARCH_ETH_ARP 0x0806u
#define MARCH_ETH_VLAN 0x8100u
#define MARCH_ETH_IPV6 0x86ddu
#define MARCH_ETH_QINQ 0x88a8u

#define MARCH_PROTO_HOP_BY_HOP 0u
#define MARCH_PROTO_ICMP 1u
#define MARCH_PROTO_TCP 6u
#define MARCH_PROTO_UDP 17u
#define MARCH_PROTO_ROUTING 43u
#define MARCH_PROTO_FRAGMENT 44u
#define MARCH_PROTO_AH 51u
#define MARCH_PROTO_ICMPV6 58u
#define MARCH_PROTO_DESTINATION 60u
#define MARCH_PROTO_SCTP 132u

#define MARCH_TCP_FIN 0x01u
#define MARCH_TCP_SYN 0x02u
#define MARCH_TCP_RST 0x04u
#define MARCH_TCP_ACK 0x10u

#define MARCH_IPV4_OPTION_END 0u
#define MARCH_IPV4_OPTION_NOP 1u
#define MARCH_IPV4_OPTION_LSRR 131u
#define MARCH_IPV4_OPTION_SSRR 137u

#define MARCH_ND_FIRST 133u /* router solicitation */
#define MARCH_ND_SOLICITATION 135u
#define MARCH_ND_LAST 136u /* neighbour advertisement; 137, redirect, is for the policy */
/* The target and one option of each kind in use; what may pass to another network is no larger. */
#define MARCH_ND_MAX_UNICAST_BYTES 64u

/* Eight headers of at most 2,048 bytes each stay below this mask. */
#define MARCH_MAX_EXTENSION_BYTES 0x7fffu
/* Below this mask is where layer 4 begins: behind those, two tags and the headers before. */
#define MARCH_MAX_L4_AT 0x7fffu

MARCH_INLINE uint32_t march_be16(const uint8_t* p) {
  return ((uint32_t)p[0] << 8) | p[1];
}
MARCH_INLINE uint32_t march_be32(const uint8_t* p) {
  return (march_be16(p) << 16) | march_be16(p + 2);
}
MARCH_INLINE uint64_t march_be64(const uint8_t* p) {
  return ((uint64_t)march_be32(p) << 32) | march_be32(p + 4);
}

/* Layer 4 at `l4`, of a packet that ends at `limit` bytes from it by its IP header. */
MARCH_INLINE uint32_t march_read_l4(const uint8_t* data, const uint8_t* l4, const uint8_t* end,
                                    uint32_t limit, uint32_t protocol, struct march_key* key) {
  uint32_t needed = 0;
  if (protocol == MARCH_PROTO_TCP) {
    needed = 20;
  } else if (protocol == MARCH_PROTO_UDP || protocol == MARCH_PROTO_ICMP) {
    needed = 8;
  } else if (protocol == MARCH_PROTO_SCTP) {
    needed = 12;
  } else if (protocol == MARCH_PROTO_ICMPV6) {
    needed = 4;
  }
  if (limit < needed) return MARCH_SLOT_TRUNCATED;
  uint32_t port = 0;
  if (protocol == MARCH_PROTO_TCP) {
    if (l4 + 20 > end) return MARCH_SLOT_TRUNCATED;
    if ((l4[12] >> 4) < 5) return MARCH_SLOT_MALFORMED;
    key->source_port = march_be16(l4);
    key->detail = l4[13];
    port = march_be16(l4 + 2);
  } else if (protocol == MARCH_PROTO_UDP) {
    if (l4 + 8 > end) return MARCH_SLOT_TRUNCATED;
    key->source_port = march_be16(l4);
    port = march_be16(l4 + 2);
  } else if (protocol == MARCH_PROTO_SCTP) {
    if (l4 + 12 > end) return MARCH_SLOT_TRUNCATED;
    key->source_port = march_be16(l4);
    port = march_be16(l4 + 2);
  } else if (protocol == MARCH_PROTO_ICMP) {
    if (l4 + 8 > end) return MARCH_SLOT_TRUNCATED;
    key->detail = march_be16(l4 + 4);
    port = MARCH_ICMP_PORT(l4[0], l4[1]);
  } else if (protocol == MARCH_PROTO_ICMPV6) {
    if (l4 + 4 > end) return MARCH_SLOT_TRUNCATED;
    if (limit >= 6 && l4 + 6 <= end) key->detail = march_be16(l4 + 4);
    port = MARCH_ICMP_PORT(l4[0], l4[1]);
  }
  key->l4_at = (uint32_t)(l4 - data);
  key->l4_bytes = limit;
  key->l4 = MARCH_L4_KEY(protocol, port);
  return MARCH_JUDGE;
}

/* Two bytes that are then added to an address. Verifiers before Linux 6.10 know no bounds of what
 * was put together by `or`, which is how clang reads them, so they are stated. */
MARCH_INLINE uint32_t march_length(const uint8_t* p, uint64_t frame_rest) {
  return MARCH_FORGET(march_be16(p), frame_rest) & 0xffff;
}

/* Whether the options at `at`, `length` bytes long (at most 40), ask for a source route; ill-formed
 * options count as if they did, since what they ask for cannot be known. */
MARCH_INLINE uint32_t march_read_ipv4_options(const uint8_t* at, const uint8_t* end,
                                              uint32_t length) {
  const uint64_t frame_rest = (uint64_t)(end - at);
  uint32_t next = 0;
  for (uint32_t i = 0; i < MARCH_MAX_IPV4_OPTION_BYTES; ++i) {
    const uint32_t limit = MARCH_FORGET(length, frame_rest) & 63;
    next = MARCH_FORGET(next, frame_rest) & 63;
    if (next >= limit) return MARCH_JUDGE;
    const uint8_t* option = at + next;
    if (option + 1 > end) return MARCH_SLOT_TRUNCATED;
    const uint32_t type = option[0];
    if (type == MARCH_IPV4_OPTION_END) return MARCH_JUDGE;
    if (type == MARCH_IPV4_OPTION_NOP) {
      next += 1;
      continue;
    }
    if (type == MARCH_IPV4_OPTION_LSRR || type == MARCH_IPV4_OPTION_SSRR) {
      return MARCH_SLOT_SOURCE_ROUTE;
    }
    if (option + 2 > end) return MARCH_SLOT_TRUNCATED;
    const uint32_t size = option[1];
    if (size < 2 || next + size > limit) return MARCH_SLOT_MALFORMED;
    next += size;
  }
  return MARCH_JUDGE;
}

MARCH_INLINE uint32_t march_read_ipv4(const uint8_t* data, const uint8_t* ip, const uint8_t* end,
                                      struct march_key* key) {
  if (ip + 20 > end) return MARCH_SLOT_TRUNCATED;
  const uint32_t header = (uint32_t)(ip[0] & 15) * 4;
  const uint32_t total = march_length(ip + 2, (uint64_t)(end - ip));
  if ((ip[0] >> 4) != 4 || header < 20 || total < header) return MARCH_SLOT_MALFORMED;
  if (ip + total > end) return MARCH_SLOT_TRUNCATED;
  key->family = 4;
  key->src_hi = 0;
  key->dst_hi = 0;
  key->src_lo = march_be32(ip + 12);
  key->dst_lo = march_be32(ip + 16);
  if (header > 20) {
    const uint32_t options = march_read_ipv4_options(ip + 20, end, header - 20);
    if (options != MARCH_JUDGE) return options;
  }
  const uint32_t protocol = ip[9];
  const uint32_t fragment = march_be16(ip + 6);
  if ((fragment & 0x3fffu) != 0) {
    key->fragment = MARCH_FRAGMENT;
    key->fragment_id = march_be16(ip + 4);
  }
  if ((fragment & 0x1fffu) != 0) {
    key->l4 = MARCH_L4_FRAGMENT | MARCH_L4_KEY(protocol, 0);
    return MARCH_JUDGE;
  }
  return march_read_l4(data, ip + header, end, total - header, protocol, key);
}

/* Discovery passes unjudged as far as this link needs it, and no further: a router would forward
 * what is addressed to another network, whatever its hop limit. So the destination is of this link
 * (fe80::/10, ff02::/16), or is the solicited neighbour itself, or the message is the advertisement
 * that answers a solicitation from a global address. */
MARCH_INLINE uint32_t march_is_neighbour_discovery(const uint8_t* ip, const uint8_t* icmp,
                                                   const uint8_t* end, uint32_t size,
                                                   const struct march_key* key) {
  if (size < 8 || icmp + 8 > end) return 0;
  const uint32_t type = icmp[0];
  /* Hop limit 255 cannot have crossed a router (RFC 4861, 7.1). */
  if (ip[7] != 255 || type < MARCH_ND_FIRST || type > MARCH_ND_LAST || icmp[1] != 0) return 0;
  if ((key->dst_hi >> 48) == 0xff02u || (key->dst_hi >> 54) == (0xfe80u >> 6)) return 1;
  if (type < MARCH_ND_SOLICITATION || size < 24 || size > MARCH_ND_MAX_UNICAST_BYTES) return 0;
  if (type == MARCH_ND_LAST) return 1;
  return icmp + 24 <= end && march_be64(icmp + 8) == key->dst_hi &&
         march_be64(icmp + 16) == key->dst_lo;
}

MARCH_INLINE uint32_t march_is_extension(uint32_t protocol) {
  return protocol == MARCH_PROTO_HOP_BY_HOP || protocol == MARCH_PROTO_ROUTING ||
         protocol == MARCH_PROTO_FRAGMENT || protocol == MARCH_PROTO_AH ||
         protocol == MARCH_PROTO_DESTINATION;
}

MARCH_INLINE uint32_t march_read_ipv6(const uint8_t* data, const uint8_t* ip, const uint8_t* end,
                                      struct march_key* key) {
  if (ip + 40 > end) return MARCH_SLOT_TRUNCATED;
  if ((ip[0] >> 4) != 6) return MARCH_SLOT_MALFORMED;
  const uint32_t payload = march_length(ip + 4, (uint64_t)(end - ip));
  if (ip + 40 + payload > end) return MARCH_SLOT_TRUNCATED;
  key->family = 6;
  key->src_hi = march_be64(ip + 8);
  key->src_lo = march_be64(ip + 16);
  key->dst_hi = march_be64(ip + 24);
  key->dst_lo = march_be64(ip + 32);

  uint32_t protocol = ip[6];
  const uint64_t frame_rest = (uint64_t)(end - ip);
  uint32_t offset = 0; /* into the payload */
  for (uint32_t i = 0; i <= MARCH_MAX_EXTENSIONS; ++i) {
    offset = MARCH_FORGET(offset, frame_rest) & MARCH_MAX_EXTENSION_BYTES;
    if (offset > payload) return MARCH_SLOT_TRUNCATED;
    const uint8_t* header = ip + 40 + offset;
    if (!march_is_extension(protocol)) {
      /* Discovery is not fragmented (RFC 6980) and carries no extension headers in practice. */
      if (i == 0 && protocol == MARCH_PROTO_ICMPV6 &&
          march_is_neighbour_discovery(ip, header, end, payload, key)) {
        return MARCH_SLOT_NEIGHBOUR;
      }
      return march_read_l4(data, header, end, payload - offset, protocol, key);
    }
    if (i == MARCH_MAX_EXTENSIONS) return MARCH_SLOT_EXTENSIONS;
    if (payload - offset < 8 || header + 8 > end) return MARCH_SLOT_TRUNCATED;
    const uint32_t next = header[0];
    if (protocol == MARCH_PROTO_HOP_BY_HOP && i != 0) return MARCH_SLOT_MALFORMED;
    if (protocol == MARCH_PROTO_FRAGMENT) {
      const uint32_t offset_and_more = march_be16(header + 2) & 0xfff9u;
      /* Of a later fragment, what follows is the middle of something; only a plain protocol can be
       * judged at all. Behind more headers of a first one, ports would lie where an overlapping
       * fragment can rewrite them (RFC 5722): at 8 bytes or more. */
      if (offset_and_more != 0 && march_is_extension(next)) return MARCH_SLOT_FRAGMENT;
      if (offset_and_more != 0) {
        key->fragment = MARCH_FRAGMENT;
        key->fragment_id = march_be32(header + 4);
      }
      if (offset_and_more > 1) {
        key->l4 = MARCH_L4_FRAGMENT | MARCH_L4_KEY(next, 0);
        return MARCH_JUDGE;
      }
      offset += 8;
    } else if (protocol == MARCH_PROTO_AH) {
      offset += ((uint32_t)header[1] + 2) * 4;
    } else {
      /* With segments left, the packet's destination is not the one its header shows. */
      if (protocol == MARCH_PROTO_ROUTING && header[3] != 0) return MARCH_SLOT_SOURCE_ROUTE;
      offset += ((uint32_t)header[1] + 1) * 8;
    }
    protocol = next;
  }
  return MARCH_SLOT_EXTENSIONS;
}

/* The slot of a packet that needs no judgement, or MARCH_JUDGE with `key` filled in. */
MARCH_INLINE uint32_t march_read_frame(const uint8_t* data, const uint8_t* end,
                                       struct march_key* key) {
  if (data + 14 > end) return MARCH_SLOT_TRUNCATED;
  uint32_t offset = 14;
  uint32_t type = march_be16(data + 12);
  for (uint32_t i = 0; i < MARCH_MAX_VLAN_TAGS; ++i) {
    if (type != MARCH_ETH_VLAN && type != MARCH_ETH_QINQ) break;
    const uint8_t* tag = data + offset;
    if (tag + 4 > end) return MARCH_SLOT_TRUNCATED;
    type = march_be16(tag + 2);
    offset += 4;
  }
  /* 14, 18 or 22: all the same to what follows. */
  const uint8_t* at = data + (MARCH_FORGET(offset, (uint64_t)(end - data)) & 31);
  if (type == MARCH_ETH_IPV4) return march_read_ipv4(data, at, end, key);
  if (type == MARCH_ETH_IPV6) return march_read_ipv6(data, at, end, key);
  if (type == MARCH_ETH_ARP) return MARCH_SLOT_ARP;
  if (type == MARCH_ETH_VLAN || type == MARCH_ETH_QINQ) return MARCH_SLOT_VLAN_DEPTH;
  return MARCH_SLOT_NOT_IP;
}

#endif
