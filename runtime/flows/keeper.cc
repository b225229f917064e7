#include "runtime/flows/keeper.h"

#include <utility>

namespace march::flows {
namespace {

// Of records at a time, so that control requests wait for no more than some milliseconds.
constexpr std::size_t kMostRecords = 20'000;

}  // namespace

FlowKeeper::FlowKeeper(FlowTable table, ReadStatistics statistics, telemetry::Logger& log)
    : table_(std::move(table)), read_statistics_(std::move(statistics)), log_(log) {
  // What was counted before this process was begun is no news.
  const auto now = read_statistics_();
  for (Room* room : {&established_, &fresh_}) {
    if (room->wanting < now.size()) room->last = now[room->wanting];
  }
}

bool FlowKeeper::IsFull(const Room& room, Tick now) const {
  return room.full_at && now - *room.full_at < kFullFor;
}

void FlowKeeper::Notice(Room& room, const std::vector<std::uint64_t>& statistics, Tick now) {
  if (room.wanting >= statistics.size()) return;
  const std::uint64_t before = std::exchange(room.last, statistics[room.wanting]);
  if (room.last <= before) return;
  if (!IsFull(room, now)) {
    log_.Write(telemetry::Level::kWarning, "flow_table_full",
               {{"table", room.table}, {"hint", "more room: connections in the configuration"}});
  }
  room.full_at = now;
}

bool FlowKeeper::Sweep(Tick now) {
  if (!table_.Sweep(now, kMostRecords, take_)) return false;
  const auto statistics = read_statistics_();
  Notice(established_, statistics, now);
  Notice(fresh_, statistics, now);
  return true;
}

void FlowKeeper::Describe(Tick now, telemetry::Snapshot& snapshot) const {
  const Living living = table_.Count(now);
  snapshot.flow_tables = {
      {established_.table, living.established, table_.established_capacity(),
       IsFull(established_, now)},
      {fresh_.table, living.fresh, table_.fresh_capacity(), IsFull(fresh_, now)}};
  snapshot.statistics = read_statistics_();
}

}  // namespace march::flows
