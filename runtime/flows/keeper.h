// What marchd does about connections from second to second: it hands out the records of those that
// have ended, and notices when there is no room for more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/flows/flow_table.h"
#include "runtime/telemetry/log.h"
#include "runtime/telemetry/snapshot.h"

namespace march::flows {

class FlowKeeper {
 public:
  // By march_statistic, summed over the CPUs; empty if they cannot be read.
  using ReadStatistics = std::function<std::vector<std::uint64_t>()>;
  using TakeRecord = std::function<void(const FlowRecord&)>;

  // So long after a flow found no room a table still counts as full.
  static constexpr Tick kFullFor = MARCH_TICKS(60);

  FlowKeeper(FlowTable table, ReadStatistics statistics, telemetry::Logger& log);

  // Who gets the record of each flow that has ended, at most once. One at a time.
  void SetRecordTaker(TakeRecord take) { take_ = std::move(take); }

  // Once a second. Takes a few milliseconds at most: true, all was done; false, call again soon.
  bool Sweep(Tick now);

  // Fills in the tables and the statistics.
  void Describe(Tick now, telemetry::Snapshot& snapshot) const;

  FlowTable& table() { return table_; }

 private:
  // One of the two tables, and the statistic that says when a flow found no room in it.
  struct Room {
    const char* table;
    march_statistic wanting;
    std::uint64_t last = 0;  // of the statistic
    std::optional<Tick> full_at;
  };

  bool IsFull(const Room& room, Tick now) const;
  void Notice(Room& room, const std::vector<std::uint64_t>& statistics, Tick now);

  FlowTable table_;
  ReadStatistics read_statistics_;
  telemetry::Logger& log_;
  TakeRecord take_ = [](const FlowRecord&) {};
  Room established_{"established", MARCH_STATISTIC_FLOWS_NO_ROOM, 0, std::nullopt};
  Room fresh_{"new", MARCH_STATISTIC_FLOWS_EVICTED, 0, std::nullopt};
};

}  // namespace march::flows
