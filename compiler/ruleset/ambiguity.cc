#include "compiler/ruleset/ambiguity.h"

#include <algorithm>
#include <optional>
#include <string>

#include "compiler/ruleset/overlap_index.h"
#include "compiler/ruleset/regions.h"

namespace march::ruleset {
namespace {

constexpr std::size_t kMaxReported = 20;

bool SameRank(const Rule& a, const Rule& b) {
  return a.priority == b.priority && a.action == b.action;
}

class Finder {
 public:
  explicit Finder(const RuleSet& rules) : rules_(rules.rules) {}

  Diagnostics Run() {
    // Rules of one rank stand together.
    for (std::size_t begin = 0; begin < rules_.size();) {
      std::size_t end = begin + 1;
      while (end < rules_.size() && SameRank(rules_[begin], rules_[end])) ++end;
      const auto differs = [&](const Rule& rule) {
        return rule.attributes != rules_[begin].attributes;
      };
      const auto first = rules_.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto last = rules_.begin() + static_cast<std::ptrdiff_t>(end);
      if (std::any_of(first, last, differs)) CheckRank(begin, end);
      begin = end;
    }
    return std::move(out_);
  }

 private:
  void CheckRank(std::size_t begin, std::size_t end) {
    if (!index_) index_.emplace(rules_);
    for (std::size_t i = begin; i < end; ++i) {
      const std::vector<std::uint32_t> near = index_->Near(static_cast<std::uint32_t>(i));
      for (const std::uint32_t j : near) {
        if (j <= i || j >= end || out_.size() >= kMaxReported) continue;
        if (rules_[i].attributes != rules_[j].attributes) CheckPair(begin, i, j, near);
      }
    }
  }

  // `near` are those near `i`.
  void CheckPair(std::size_t begin, std::size_t i, std::size_t j,
                 const std::vector<std::uint32_t>& near) {
    const space::PacketSet first = PacketsOf(rules_[i]);
    const space::PacketSet second = PacketsOf(rules_[j]);
    if (!Overlaps(first, second)) return;
    space::PacketSet common = Intersect(first, second);
    for (const std::uint32_t k : near) {
      if (k >= begin || common.empty()) break;
      common.Subtract(PacketsOf(rules_[k]));
    }
    const auto witness = common.Witness();
    if (!witness) return;
    const Rule& a = rules_[i].place.begin <= rules_[j].place.begin ? rules_[i] : rules_[j];
    const Rule& b = &a == &rules_[i] ? rules_[j] : rules_[i];
    out_.push_back(MakeDiagnostic(Code::kAmbiguousMappings, b.place,
                                  "the mappings " + a.name + " and " + b.name +
                                      " treat the same packet differently: " + witness->ToString(),
                                  "give one of them a higher priority, or both the same attributes")
                       .WithNote(a.place, a.name + " is here"));
  }

  const std::vector<Rule>& rules_;
  std::optional<OverlapIndex> index_;  // made when the first rank needs it
  Diagnostics out_;
};

}  // namespace

Diagnostics FindAmbiguities(const RuleSet& rules) {
  return Finder(rules).Run();
}

}  // namespace march::ruleset
