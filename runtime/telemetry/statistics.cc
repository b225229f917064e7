#include "runtime/telemetry/statistics.h"

namespace march::telemetry {

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
  };
  return statistics;
}

}  // namespace march::telemetry
