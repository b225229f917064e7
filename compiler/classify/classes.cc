#include "compiler/classify/classes.h"

#include <algorithm>
#include <map>

namespace march::classify {
namespace {

struct Event {
  space::Uint128 at = 0;
  std::uint32_t rule = 0;
  bool enters = false;
};

}  // namespace

Classes CutIntoClasses(const std::vector<const space::IntervalSet<space::Uint128>*>& sets,
                       space::Uint128 last) {
  std::vector<Event> events;
  for (std::uint32_t rule = 0; rule < sets.size(); ++rule) {
    for (const auto& part : sets[rule]->intervals()) {
      events.push_back({part.first, rule, true});
      if (part.last != last) events.push_back({part.last + 1, rule, false});
    }
  }
  std::sort(events.begin(), events.end(),
            [](const Event& a, const Event& b) { return a.at < b.at; });

  Classes result;
  std::map<RuleIds, std::uint32_t> known;
  RuleIds active;
  const auto close_segment = [&](space::Uint128 start) {
    const auto [it, is_new] =
        known.try_emplace(active, static_cast<std::uint32_t>(result.members.size()));
    if (is_new) result.members.push_back(active);
    if (result.segments.empty() || result.segments.back().class_id != it->second) {
      result.segments.push_back({start, it->second});
    }
  };

  space::Uint128 start = 0;
  for (std::size_t i = 0; i < events.size();) {
    if (events[i].at != start) {
      close_segment(start);
      start = events[i].at;
    }
    for (; i < events.size() && events[i].at == start; ++i) {
      const auto place = std::lower_bound(active.begin(), active.end(), events[i].rule);
      if (events[i].enters) {
        active.insert(place, events[i].rule);
      } else {
        active.erase(place);
      }
    }
  }
  close_segment(start);
  return result;
}

}  // namespace march::classify
