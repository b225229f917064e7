#include "compiler/classify/classes.h"

#include <map>

#include "compiler/classify/sweep.h"

namespace march::classify {

Classes CutIntoClasses(const std::vector<const space::IntervalSet<space::Uint128>*>& sets,
                       space::Uint128 last) {
  Sweep<space::Uint128> sweep(last);
  for (std::uint32_t rule = 0; rule < sets.size(); ++rule) {
    for (const auto& part : sets[rule]->intervals()) sweep.Add(rule, part.first, part.last);
  }
  Classes result;
  std::map<RuleIds, std::uint32_t> known;
  sweep.Run([&](space::Uint128 start, const RuleIds& active) {
    const auto [it, is_new] =
        known.try_emplace(active, static_cast<std::uint32_t>(result.members.size()));
    if (is_new) result.members.push_back(active);
    if (result.segments.empty() || result.segments.back().class_id != it->second) {
      result.segments.push_back({start, it->second});
    }
  });
  return result;
}

}  // namespace march::classify
