#include "runtime/events/event_log.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace march::events {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kChangedEvery{1};
constexpr std::chrono::seconds kAliveEvery{5};
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json CountsJson(const Counts& counts) {
  return {{"told", counts.told}, {"suppressed", counts.suppressed}, {"lost", counts.lost}};
}

}  // namespace

void EventLog::Append(Sort sort, Event event) {
  Lane& lane = lanes_.at(static_cast<std::size_t>(sort));
  lane.lines.push_back({end_, std::move(event)});
  ++end_;
  if (lane.lines.size() <= keep_) return;
  lane.lines.pop_front();
  ++lane.gone;
}

std::uint64_t EventLog::NumberBefore(const BySort& sorts, std::uint64_t count) const {
  std::uint64_t number = end_;
  std::array<std::size_t, kSorts> left{};  // lines that are not passed yet
  for (std::size_t i = 0; i < kSorts; ++i) left.at(i) = sorts.at(i) ? lanes_.at(i).lines.size() : 0;
  for (std::uint64_t passed = 0; passed < count; ++passed) {
    std::optional<std::size_t> newest;
    const auto number_in = [&](std::size_t lane) {
      return lanes_.at(lane).lines[left.at(lane) - 1].number;
    };
    for (std::size_t i = 0; i < kSorts; ++i) {
      if (left.at(i) > 0 && (!newest || number_in(i) > number_in(*newest))) newest = i;
    }
    if (!newest) break;
    number = number_in(*newest);
    --left.at(*newest);
  }
  return number;
}

Reader::Reader(const EventLog& log, const BySort& sorts, std::uint64_t from, bool follows)
    : log_(log), sorts_(sorts), end_(follows ? kNever : log.end_) {
  const std::uint64_t first = from > log.end_ ? 0 : from;
  for (std::size_t i = 0; i < kSorts; ++i) {
    const EventLog::Lane& lane = log.lanes_.at(i);
    const auto found =
        std::partition_point(lane.lines.begin(), lane.lines.end(),
                             [&](const EventLog::Line& line) { return line.number < first; });
    next_.at(i) = lane.gone + static_cast<std::uint64_t>(found - lane.lines.begin());
    until_.at(i) = follows ? kNever : lane.end();
  }
}

const EventLog::Line& Reader::LineAt(std::size_t lane) const {
  const EventLog::Lane& of = log_.lanes_.at(lane);
  return of.lines[std::max(next_.at(lane), of.gone) - of.gone];
}

std::optional<std::size_t> Reader::NextLane() const {
  std::optional<std::size_t> next;
  for (std::size_t i = 0; i < kSorts; ++i) {
    const EventLog::Lane& lane = log_.lanes_.at(i);
    if (!sorts_.at(i)) continue;
    if (std::max(next_.at(i), lane.gone) >= std::min(lane.end(), until_.at(i))) continue;
    if (!next || LineAt(i).number < LineAt(*next).number) next = i;
  }
  return next;
}

bool Reader::has_ended() const {
  for (std::size_t i = 0; i < kSorts; ++i) {
    if (sorts_.at(i) && next_.at(i) < until_.at(i)) return false;
  }
  return true;
}

std::string Reader::CountsLine(std::chrono::steady_clock::time_point now) {
  last_counts_ = now;
  has_begun_ = true;
  shown_ = log_.counts();
  const auto lane = NextLane();
  return Text({{"format_version", 1},
               {"type", "counts"},
               {"next", lane ? LineAt(*lane).number : std::min(log_.end(), end_)},
               {"drops", CountsJson(shown_.drops)},
               {"allows", CountsJson(shown_.allows)},
               {"flows", CountsJson(shown_.flows)}});
}

std::string Reader::MissedLine() {
  std::uint64_t missed = 0;
  for (std::size_t i = 0; i < kSorts; ++i) {
    const std::uint64_t gone = std::min(log_.lanes_.at(i).gone, until_.at(i));
    if (!sorts_.at(i) || next_.at(i) >= gone) continue;
    missed += gone - next_.at(i);
    next_.at(i) = gone;
  }
  if (missed == 0) return "";
  return Text({{"format_version", 1}, {"type", "missed"}, {"events", missed}});
}

std::string Reader::Take(std::chrono::steady_clock::time_point now, std::size_t bytes) {
  std::string lines;
  if (!has_begun_) lines = CountsLine(now);
  lines += MissedLine();
  bool has_one = false;
  for (auto lane = NextLane(); lane && (!has_one || lines.size() < bytes); lane = NextLane()) {
    const EventLog::Line& line = LineAt(*lane);
    Json json = {{"format_version", 1}, {"number", line.number}};
    json.update(line.event());
    lines += Text(json);
    ++next_.at(*lane);
    has_one = true;
  }
  const bool has_changed = shown_ != log_.counts();
  if (is_at_end() && now - last_counts_ >= (has_changed ? kChangedEvery : kAliveEvery)) {
    lines += CountsLine(now);
  }
  return lines;
}

}  // namespace march::events
