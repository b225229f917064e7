/* The interfaces that marchd guards (bundle/abi/interface.h), and which packets are the gateway's
 * to forward or to answer. */
#ifndef MARCH_BPF_TEMPLATES_XDP_INTERFACES_H
#define MARCH_BPF_TEMPLATES_XDP_INTERFACES_H

#include "common/bpf.h"

#include "bundle/abi/interface.h"
#include "common/packet.h"
#include "xdp/gateway.h"

/* marchd's: it outlives the program. */
MARCH_SHARED struct {
  MARCH_MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
  MARCH_MAP_UINT(max_entries, MARCH_INTERFACES);
  MARCH_MAP_UINT(map_flags, BPF_F_MMAPABLE);
  MARCH_MAP_TYPE(key, uint32_t);
  MARCH_MAP_TYPE(value, struct march_interface);
} march_interfaces MARCH_MAPS;

MARCH_INLINE const struct march_interface* march_find_interface(uint32_t ifindex) {
  MARCH_ROLLED
  for (uint32_t i = 0; i < MARCH_INTERFACE_PLACES; ++i) {
    const uint32_t place = (ifindex + i) % MARCH_INTERFACES;
    const struct march_interface* found = bpf_map_lookup_elem(&march_interfaces, &place);
    if (found && found->ifindex == ifindex) return found;
  }
  return 0;
}

static long (*const bpf_redirect)(uint32_t ifindex, uint64_t flags) = (void*)23;

/* Part of a packet, in the order of its bytes. */
typedef uint16_t __attribute__((may_alias)) march_raw16;
typedef uint32_t __attribute__((may_alias)) march_raw32;

MARCH_INLINE uint32_t march_raw32_at(const uint8_t* p) {
  return *(const march_raw32*)p;
}
MARCH_INLINE uint32_t march_raw16_at(const uint8_t* p) {
  return *(const march_raw16*)p;
}

MARCH_INLINE void march_put16(uint8_t* p, uint32_t value) {
  *(march_raw16*)p = (uint16_t)__builtin_bswap16((uint16_t)value);
}
MARCH_INLINE void march_put32(uint8_t* p, uint32_t value) {
  *(march_raw32*)p = __builtin_bswap32(value);
}

/* A sum of words in one's complement, folded to 16 bits. Of words in the order of their bytes it is
 * in that order too (RFC 1071, 2B). */
MARCH_INLINE uint32_t march_fold(uint64_t sum) {
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (uint32_t)((sum & 0xffff) + (sum >> 16));
}

/* To this interface's own address: no broadcast, no multicast, and nothing that a switch sends
 * everywhere. */
MARCH_INLINE uint32_t march_is_to_mac(const uint8_t* data, const struct march_interface* in) {
  return march_raw32_at(data) == march_raw32_at(in->mac) &&
         march_raw16_at(data + 4) == march_raw16_at(in->mac + 4);
}

/* An address that one host on some other network can have: not of this network or host only, nor
 * of many hosts (RFC 1122, 3.2.1.3; RFC 3927, 2.7; RFC 1812, 5.3.7). */
MARCH_INLINE uint32_t march_is_routed_ipv4(const uint8_t* address) {
  const uint32_t first = address[0];
  return first != 0 && first != 127 && first < 224 && !(first == 169 && address[1] == 254);
}

/* Likewise (RFC 4291, 2.4); all that begins with 64 bits of zeros is none either. */
MARCH_INLINE uint32_t march_is_routed_ipv6(const uint8_t* address) {
  if (address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)) return 0;
  return (march_raw32_at(address) | march_raw32_at(address + 4)) != 0;
}

#endif
