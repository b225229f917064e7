#include <algorithm>
#include <string>

#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

constexpr std::uint32_t kMaxDepth = 64;

using model::DraftService;
using Member = model::Written<std::string_view>;

class Unions {
 public:
  explicit Unions(const model::Draft& draft)
      : draft_(draft), depth_(draft.services.size(), 0), reported_(draft.services.size(), false) {}

  void Check(Diagnostics& out) {
    Level(out);
    for (std::uint32_t i = 0; i < depth_.size(); ++i) {
      if (depth_[i] == 0 && !reported_[i]) ReportCircle(i, out);
    }
  }

 private:
  // From services without members upwards: a service is one deeper than its deepest member. Those
  // that are never reached are in a circle or hang on one.
  void Level(Diagnostics& out) {
    std::vector<std::vector<std::uint32_t>> unions_of(depth_.size());
    std::vector<std::uint32_t> missing(depth_.size(), 0);
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < depth_.size(); ++i) {
      for (const Member& member : draft_.services[i].members) {
        const auto index = model::FindService(draft_, member.value);
        if (!index) continue;  // reported as unknown
        unions_of[*index].push_back(i);
        ++missing[i];
      }
      if (missing[i] == 0) {
        depth_[i] = 1;
        ready.push_back(i);
      }
    }
    std::vector<std::uint32_t> deepest(depth_.size(), 1);
    while (!ready.empty()) {
      const std::uint32_t member = ready.back();
      ready.pop_back();
      for (const std::uint32_t i : unions_of[member]) {
        deepest[i] = std::max(deepest[i], depth_[member] + 1);
        if (--missing[i] > 0) continue;
        depth_[i] = deepest[i];
        ready.push_back(i);
        if (depth_[i] == kMaxDepth + 1) ReportDepth(draft_.services[i], out);
      }
    }
  }

  static void ReportDepth(const DraftService& service, Diagnostics& out) {
    out.push_back(MakeDiagnostic(Code::kUnionTooDeep, service.name.place,
                                 "the service " + yaml::Quoted(service.name.value) +
                                     " nests more than " + std::to_string(kMaxDepth) +
                                     " services inside each other",
                                 "name the inner services directly"));
  }

  // The first member that is not on firm ground.
  const Member* NextInCircle(std::uint32_t service) const {
    for (const Member& member : draft_.services[service].members) {
      const auto index = model::FindService(draft_, member.value);
      if (index && depth_[*index] == 0) return &member;
    }
    return nullptr;
  }

  void ReportCircle(std::uint32_t start, Diagnostics& out) {
    std::vector<std::uint32_t> path;
    std::uint32_t at = start;
    while (!reported_[at]) {
      reported_[at] = true;
      path.push_back(at);
      at = *model::FindService(draft_, NextInCircle(at)->value);
    }
    const auto circle = std::find(path.begin(), path.end(), at);
    if (circle == path.end()) return;  // it leads into a circle that is reported
    // Wherever the walk came in, the circle is told from its first name on.
    std::rotate(circle, std::min_element(circle, path.end()), path.end());
    const DraftService& first = draft_.services[*circle];
    Diagnostic diagnostic =
        MakeDiagnostic(Code::kServiceCycle, NextInCircle(*circle)->place,
                       "the service " + yaml::Quoted(first.name.value) + " contains itself",
                       "remove one of these, or list the addresses");
    for (auto it = circle + 1; it != path.end(); ++it) {
      diagnostic.WithNote(NextInCircle(*it)->place, yaml::Quoted(draft_.services[*it].name.value) +
                                                        " contains " +
                                                        yaml::Quoted(NextInCircle(*it)->value));
    }
    out.push_back(std::move(diagnostic));
  }

  const model::Draft& draft_;
  std::vector<std::uint32_t> depth_;  // 0: not known, and after Level: in or behind a circle
  std::vector<bool> reported_;
};

}  // namespace

void CheckServiceUnions(const model::Draft& draft, Diagnostics& out) {
  Unions(draft).Check(out);
}

}  // namespace march::checks
