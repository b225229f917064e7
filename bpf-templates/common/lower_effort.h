/* Marks a packet for the network: forward it where there is room left (the PHB of lower effort,
 * RFC 8622). Compiled for BPF and for the host, where it is tested. The includer includes
 * common/packet.h. */
#ifndef MARCH_BPF_TEMPLATES_COMMON_LOWER_EFFORT_H
#define MARCH_BPF_TEMPLATES_COMMON_LOWER_EFFORT_H

#include "bundle/abi/types.h"

/* LE, in the upper six bits of what IPv4 calls the type of service and IPv6 the traffic class. */
#define MARCH_DSCP_LOWER_EFFORT 1u

/* The IP header of a frame that was read in full (common/packet.h): 20 bytes are there. Null for
 * other frames. */
MARCH_INLINE uint8_t* march_ip_of(uint8_t* data, const uint8_t* end) {
  if (data + 14 > end) return 0;
  uint32_t offset = 14;
  uint32_t type = march_be16(data + 12);
  for (uint32_t i = 0; i < MARCH_MAX_VLAN_TAGS; ++i) {
    if (type != MARCH_ETH_VLAN && type != MARCH_ETH_QINQ) break;
    const uint8_t* tag = data + offset;
    if (tag + 4 > end) return 0;
    type = march_be16(tag + 2);
    offset += 4;
  }
  uint8_t* ip = data + (MARCH_FORGET(offset, (uint64_t)(end - data)) & 31);
  return ip + 20 > end ? 0 : ip;
}

/* One's complement sum of a header in which a word of 16 bits has changed (RFC 1624, equation 3).
 */
MARCH_INLINE uint32_t march_checksum_after(uint32_t checksum, uint32_t before, uint32_t after) {
  uint32_t sum = (~checksum & 0xffffu) + (~before & 0xffffu) + after;
  sum = (sum & 0xffffu) + (sum >> 16);
  sum = (sum & 0xffffu) + (sum >> 16);
  return ~sum & 0xffffu;
}

/* The two bits of ECN (RFC 3168) stay. */
MARCH_INLINE void march_set_lower_effort(uint8_t* ip) {
  if ((ip[0] >> 4) == 6) {
    /* Four bits of version, eight of traffic class, the flow label. */
    ip[0] = 0x60u | (MARCH_DSCP_LOWER_EFFORT >> 2);
    ip[1] = (uint8_t)((ip[1] & 0x3fu) | (MARCH_DSCP_LOWER_EFFORT & 3u) << 6);
    return;
  }
  const uint32_t before = march_be16(ip);
  ip[1] = (uint8_t)((ip[1] & 3u) | MARCH_DSCP_LOWER_EFFORT << 2);
  const uint32_t checksum = march_checksum_after(march_be16(ip + 10), before, march_be16(ip));
  ip[10] = (uint8_t)(checksum >> 8);
  ip[11] = (uint8_t)checksum;
}

#endif
