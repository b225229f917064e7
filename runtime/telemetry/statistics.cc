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
  };
  return statistics;
}

}  // namespace march::telemetry
