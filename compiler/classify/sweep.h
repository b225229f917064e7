// Which rules hold where along one axis of the packet space.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

namespace march::classify {

// Rule numbers in order of precedence.
using RuleIds = std::vector<std::uint32_t>;

// Goes over the axis [0, last] from end to end.
template <class Key>
class Sweep {
 public:
  explicit Sweep(Key last) : last_(last) {}

  // `rule` holds on [first, last]. The ranges of one rule do not overlap.
  void Add(std::uint32_t rule, Key first, Key last) {
    events_.push_back({first, rule, true});
    if (last != last_) events_.push_back({last + 1, rule, false});
  }

  // Calls visit(first, last, rules) for every stretch on which the same rules hold, in ascending
  // order. `rules` is a std::set: of many that hold, the visitor may need only the first.
  template <class Visit>
  void Run(Visit&& visit) {
    std::sort(events_.begin(), events_.end(),
              [](const Event& a, const Event& b) { return a.at < b.at; });
    std::set<std::uint32_t> active;
    Key start = 0;
    for (std::size_t i = 0; i < events_.size();) {
      if (events_[i].at != start) {
        visit(start, static_cast<Key>(events_[i].at - 1), active);
        start = events_[i].at;
      }
      for (; i < events_.size() && events_[i].at == start; ++i) {
        if (events_[i].enters) {
          active.insert(events_[i].rule);
        } else {
          active.erase(events_[i].rule);
        }
      }
    }
    visit(start, last_, active);
  }

 private:
  struct Event {
    Key at;
    std::uint32_t rule;
    bool enters;
  };

  Key last_;
  std::vector<Event> events_;
};

}  // namespace march::classify
