#include "runtime/events/event_log.h"

#include <algorithm>

namespace march::events {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kChangedEvery{1};
constexpr std::chrono::seconds kAliveEvery{5};

std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json CountsJson(const Counts& counts) {
  return {{"told", counts.told}, {"suppressed", counts.suppressed}, {"lost", counts.lost}};
}

}  // namespace

void EventLog::Append(const Json& event) {
  Json line = {{"format_version", 1}, {"number", end_}};
  line.update(event);
  lines_.push_back(Line(line));
  ++end_;
  if (lines_.size() > keep_) lines_.pop_front();
}

Reader::Reader(const EventLog& log, std::uint64_t from)
    : log_(log), next_(from > log.end() ? log.begin() : std::max(from, log.begin())) {}

std::string Reader::CountsLine(std::chrono::steady_clock::time_point now) {
  last_counts_ = now;
  has_begun_ = true;
  shown_ = log_.counts();
  return Line({{"format_version", 1},
               {"type", "counts"},
               {"next", next_},
               {"drops", CountsJson(shown_[MARCH_EVENT_DROP])},
               {"allows", CountsJson(shown_[MARCH_EVENT_ALLOW])}});
}

std::string Reader::Take(std::chrono::steady_clock::time_point now, std::size_t bytes) {
  std::string lines;
  if (!has_begun_) lines = CountsLine(now);
  if (next_ < log_.begin()) {
    lines += Line({{"format_version", 1}, {"type", "missed"}, {"events", log_.begin() - next_}});
    next_ = log_.begin();
  }
  const std::uint64_t first = next_;
  while (next_ < log_.end() && (next_ == first || lines.size() < bytes)) lines += log_.At(next_++);
  const bool has_changed = shown_ != log_.counts();
  if (is_at_end() && now - last_counts_ >= (has_changed ? kChangedEvery : kAliveEvery)) {
    lines += CountsLine(now);
  }
  return lines;
}

}  // namespace march::events
