#include "runtime/telemetry/statistics.h"

namespace march::telemetry {
namespace {

StatisticInfo Of(std::uint32_t first, std::uint32_t kind, std::string_view name,
                 std::string_view help) {
  return {static_cast<march_statistic>(first + kind), name, help};
}

}  // namespace

const std::vector<StatisticInfo>& Statistics() {
  static const std::vector<StatisticInfo> statistics = {
      {MARCH_STATISTIC_FLOWS_OPENED, "flows_opened", "Connections that were begun."},
      {MARCH_STATISTIC_FLOWS_ESTABLISHED, "flows_established",
       "Connections that became established."},
      {MARCH_STATISTIC_FLOWS_EVICTED, "flows_evicted",
       "New connections that were forgotten to make room for newer ones."},
      {MARCH_STATISTIC_FLOWS_NO_ROOM, "flows_no_room",
       "Attempts to move a connection among the established ones when there was no room."},
      {MARCH_STATISTIC_FLOWS_CUT, "flows_forbidden",
       "Connections that ended because a later policy forbids them."},
      {MARCH_STATISTIC_FLOWS_REPLACED, "flows_replaced",
       "Connections that had ended and whose place was taken before their record was made."},
      {MARCH_STATISTIC_RELATED, "related_errors",
       "ICMP errors that passed with the connection they are about."},
      Of(MARCH_STATISTIC_EVENTS_TOLD, MARCH_EVENT_DROP, "drops_told",
         "Packets that were dropped and are among the events."),
      Of(MARCH_STATISTIC_EVENTS_SUPPRESSED, MARCH_EVENT_DROP, "drops_suppressed",
         "Packets that were dropped and are no events, since there were too many in a second."),
      Of(MARCH_STATISTIC_EVENTS_LOST, MARCH_EVENT_DROP, "drops_lost",
         "Packets that were dropped and are no events, since marchd did not read fast enough."),
      Of(MARCH_STATISTIC_EVENTS_TOLD, MARCH_EVENT_ALLOW, "allows_told",
         "Packets that began a connection and are among the events."),
      Of(MARCH_STATISTIC_EVENTS_SUPPRESSED, MARCH_EVENT_ALLOW, "allows_suppressed",
         "Packets that began a connection and are no events, since there were too many in a "
         "second."),
      Of(MARCH_STATISTIC_EVENTS_LOST, MARCH_EVENT_ALLOW, "allows_lost",
         "Packets that began a connection and are no events, since marchd did not read fast "
         "enough."),
      {MARCH_STATISTIC_LIMITS_EVICTED, "limits_evicted",
       "Limits that begin anew since there was no room to remember what they had used."},
      {MARCH_STATISTIC_LIMITS_BUSY, "limits_busy",
       "Packets above a limit since CPUs met while its place was taken."},
      {MARCH_STATISTIC_COOKIES_SENT, "syn_cookies_sent",
       "Connections that were answered in the place of their server."},
      {MARCH_STATISTIC_COOKIES_RETURNED, "syn_cookies_returned",
       "Sources that proved to be real, since they gave a SYN cookie back."},
      {MARCH_STATISTIC_FORWARDED, "forwarded", "Packets that the program forwarded."},
      {MARCH_STATISTIC_KERNEL_INTERFACE, "not_forwarded_interface",
       "Packets left to the kernel: they come in, or would leave, by an interface that is not "
       "fast, or both by the same."},
      {MARCH_STATISTIC_KERNEL_ADDRESS, "not_forwarded_address",
       "Packets left to the kernel: not sent to this gateway, or with an address that is never "
       "forwarded."},
      {MARCH_STATISTIC_KERNEL_HEADERS, "not_forwarded_headers",
       "Packets left to the kernel: VLAN tags, IPv4 options, hop-by-hop options, a wrong "
       "checksum or bytes behind the packet."},
      {MARCH_STATISTIC_KERNEL_CHECKSUM, "not_forwarded_checksum",
       "Packets left to the kernel: their checksum is yet to be computed."},
      {MARCH_STATISTIC_KERNEL_TTL, "not_forwarded_ttl",
       "Packets left to the kernel: their TTL or hop limit ends here."},
      {MARCH_STATISTIC_KERNEL_SOURCE, "not_forwarded_source",
       "Packets left to the kernel: rp_filter would not have them from here."},
      {MARCH_STATISTIC_KERNEL_LOCAL, "not_forwarded_local",
       "Packets left to the kernel: for the gateway itself, or without a route."},
      {MARCH_STATISTIC_KERNEL_DISABLED, "not_forwarded_disabled",
       "Packets left to the kernel: forwarding is switched off where they come in."},
      {MARCH_STATISTIC_KERNEL_MTU, "not_forwarded_mtu",
       "Packets left to the kernel: larger than the MTU of their route."},
      {MARCH_STATISTIC_KERNEL_NEIGHBOUR, "not_forwarded_neighbour",
       "Packets left to the kernel: the MAC of their next hop is not known yet."},
      {MARCH_STATISTIC_KERNEL_REFRESH, "not_forwarded_refresh",
       "Packets left to the kernel: one for each next hop and few seconds, so that it stays "
       "known."},
      {MARCH_STATISTIC_KERNEL_TUNNEL, "not_forwarded_tunnel",
       "Packets left to the kernel: their route encapsulates."},
      {MARCH_STATISTIC_ANSWERED_RESET, "answered_resets",
       "Rejected packets of TCP that were answered with a reset."},
      {MARCH_STATISTIC_ANSWERED_ICMP, "answered_errors",
       "Rejected packets that were answered with an error of ICMP."},
      {MARCH_STATISTIC_ANSWER_SUPPRESSED, "answers_suppressed",
       "Rejected packets that were dropped in silence, since there were too many in a second."},
      {MARCH_STATISTIC_ANSWER_NONE, "answers_none",
       "Rejected packets that were dropped in silence, since none of their kind is answered."},
  };
  return statistics;
}

}  // namespace march::telemetry
