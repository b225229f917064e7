#include <algorithm>
#include <string>
#include <utility>

#include "compiler/lint/lint.h"
#include "compiler/ruleset/overlap_index.h"
#include "compiler/ruleset/regions.h"
#include "compiler/yaml/quote.h"

namespace march::lint {
namespace {

using ruleset::Rule;
using space::PacketSet;

std::string Named(const Rule& rule) {
  return "the mapping " + yaml::Quoted(rule.name);
}

class Reachability {
 public:
  Reachability(const ruleset::RuleSet& rules, Diagnostics& out)
      : rules_(rules), out_(out), index_(rules.rules) {
    for (const Rule& rule : rules.rules) packets_.push_back(PacketsOf(rule));
    reachable_.assign(packets_.size(), false);
  }

  void Run() {
    std::vector<PacketSet> decided;
    for (std::uint32_t i = 0; i < packets_.size(); ++i) {
      decided.push_back(packets_[i]);
      for (const std::uint32_t j : index_.Near(i)) {
        if (j > i || decided[i].empty()) break;
        decided[i].Subtract(packets_[j]);
      }
      reachable_[i] = !decided[i].empty();
      // What no packet can match is told of elsewhere.
      if (!reachable_[i] && !packets_[i].empty()) ReportUnreachable(i);
    }
    for (std::uint32_t i = 0; i < packets_.size(); ++i) {
      if (!reachable_[i]) continue;
      if (!CheckRedundant(i, decided[i])) CheckPartlyShadowed(i);
    }
  }

 private:
  const Rule& RuleAt(std::size_t i) const { return rules_.rules[i]; }

  // Drops coverers one by one as long as the others still cover.
  void ReportUnreachable(std::uint32_t i) {
    std::vector<std::uint32_t> cover;
    for (const std::uint32_t j : index_.Near(i)) {
      if (j < i && Overlaps(packets_[i], packets_[j])) cover.push_back(j);
    }
    for (std::size_t n = cover.size(); n-- > 0;) {
      std::vector<std::uint32_t> fewer = cover;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(n));
      if (IsCovered(i, fewer)) cover = std::move(fewer);
    }
    Diagnostic finding = MakeDiagnostic(
        Code::kUnreachable, RuleAt(i).place, Named(RuleAt(i)) + " decides no packet",
        cover.size() == 1 ? "remove it, or give it a higher priority than that mapping"
                          : "remove it, or give it a higher priority than these mappings");
    for (const std::uint32_t j : cover) {
      finding.WithNote(RuleAt(j).place, cover.size() == 1
                                            ? yaml::Quoted(RuleAt(j).name) + " takes all of them"
                                            : yaml::Quoted(RuleAt(j).name) + " takes some of them");
    }
    out_.push_back(std::move(finding));
  }

  bool IsCovered(std::uint32_t i, const std::vector<std::uint32_t>& cover) const {
    PacketSet rest = packets_[i];
    for (const std::uint32_t j : cover) rest.Subtract(packets_[j]);
    return rest.empty();
  }

  // Who decides the packets of rule `i` once it is gone.
  bool CheckRedundant(std::uint32_t i, PacketSet rest) {
    std::vector<std::uint32_t> heirs;
    for (const std::uint32_t j : index_.Near(i)) {
      if (rest.empty()) break;
      if (j < i || !reachable_[j] || !Overlaps(rest, packets_[j])) continue;
      if (RuleAt(j).action != RuleAt(i).action || RuleAt(j).attributes != RuleAt(i).attributes) {
        return false;
      }
      rest.Subtract(packets_[j]);
      heirs.push_back(j);
    }
    const bool by_default = !rest.empty();
    if (by_default && (RuleAt(i).action != rules_.default_action ||
                       RuleAt(i).attributes != rules_.default_attributes)) {
      return false;
    }
    Diagnostic finding =
        MakeDiagnostic(Code::kRedundant, RuleAt(i).place,
                       "without " + Named(RuleAt(i)) + " every packet would have the same verdict",
                       "remove it, unless it is there for its name and its counter");
    for (const std::uint32_t j : heirs) {
      finding.WithNote(RuleAt(j).place, yaml::Quoted(RuleAt(j).name) + " would decide the same");
    }
    if (by_default) {
      finding.message +=
          heirs.empty() ? ": that of defaults.action" : ", that of defaults.action for some";
    }
    out_.push_back(std::move(finding));
    return true;
  }

  void CheckPartlyShadowed(std::uint32_t i) {
    const std::vector<std::uint32_t> near = index_.Near(i);
    for (const std::uint32_t j : near) {
      if (j > i) break;
      if (RuleAt(j).priority != RuleAt(i).priority || RuleAt(j).action == RuleAt(i).action)
        continue;
      if (!Overlaps(packets_[i], packets_[j])) continue;
      PacketSet taken = Intersect(packets_[i], packets_[j]);
      for (const std::uint32_t k : near) {
        if (k >= j || taken.empty()) break;
        taken.Subtract(packets_[k]);
      }
      const auto witness = taken.Witness();
      if (!witness) continue;
      out_.push_back(
          MakeDiagnostic(
              Code::kPartlyShadowed, RuleAt(i).place,
              Named(RuleAt(i)) +
                  " loses packets to a stricter one of its priority: " + witness->ToString(),
              "give " + yaml::Quoted(RuleAt(j).name) + " a higher priority, if that is meant")
              .WithNote(RuleAt(j).place, yaml::Quoted(RuleAt(j).name) + " decides: " +
                                             std::string(ActionName(RuleAt(j).action))));
    }
  }

  const ruleset::RuleSet& rules_;
  Diagnostics& out_;
  ruleset::OverlapIndex index_;
  std::vector<PacketSet> packets_;
  std::vector<bool> reachable_;
};

void CheckMatchesNothing(const model::Policy& policy, const ruleset::RuleSet& rules,
                         Diagnostics& out) {
  const auto has_names = [&](const auto& services) {
    return services && std::any_of(services->begin(), services->end(), [&](std::uint32_t index) {
             return policy.services[index].has_names;
           });
  };
  for (const Rule& rule : rules.rules) {
    const model::Mapping& mapping = policy.mappings[rule.mapping];
    // Addresses of names are not known here.
    if (has_names(mapping.from) || has_names(mapping.to)) continue;
    if (!PacketsOf(rule).empty()) continue;
    out.push_back(MakeDiagnostic(Code::kMatchesNothing, rule.place,
                                 Named(rule) + " matches no packet at all",
                                 "give both ends addresses of one family, or remove it"));
  }
}

}  // namespace

void CheckReachability(const model::Policy& policy, const ruleset::RuleSet& rules,
                       Diagnostics& out) {
  CheckMatchesNothing(policy, rules, out);
  Reachability(rules, out).Run();
}

}  // namespace march::lint
