#include <algorithm>
#include <map>
#include <string>

#include "base/suggest.h"
#include "compiler/checks/check_draft.h"
#include "compiler/yaml/quote.h"

namespace march::checks {
namespace {

// Every suggestion compares a word with all services; whoever has more misspelt names than this
// needs something other than suggestions.
constexpr std::size_t kMaxSuggestions = 32;

class Suggestions {
 public:
  explicit Suggestions(const model::Draft& draft) {
    for (const auto& service : draft.services) names_.push_back(service.name.value);
  }

  std::string For(std::string_view word) {
    if (word == "any") return "remove the key for any";
    const auto found = hints_.find(word);
    if (found != hints_.end()) return found->second;
    if (hints_.size() >= kMaxSuggestions) return "define it under services";
    const std::string nearest = NearestWord(word, names_);
    std::string hint = nearest.empty() ? "define it under services"
                                       : "did you mean " + yaml::Quoted(nearest) + "?";
    return hints_[word] = std::move(hint);
  }

 private:
  std::vector<std::string_view> names_;
  std::map<std::string_view, std::string> hints_;
};

}  // namespace

void CheckUnknownServices(const model::Draft& draft, Diagnostics& out) {
  std::vector<const model::Written<std::string_view>*> unknown;
  const auto look_at = [&](const model::Names& names) {
    for (const auto& name : names) {
      if (!model::FindService(draft, name.value)) unknown.push_back(&name);
    }
  };
  for (const auto& service : draft.services) look_at(service.members);
  for (const auto& mapping : draft.mappings) {
    if (mapping.from) look_at(*mapping.from);
    if (mapping.to) look_at(*mapping.to);
    look_at(mapping.backends);
  }
  if (unknown.empty()) return;
  std::sort(unknown.begin(), unknown.end(),
            [](const auto* a, const auto* b) { return model::ComesBefore(a->place, b->place); });
  Suggestions suggestions(draft);
  for (const auto* const name : unknown) {
    std::string hint = suggestions.For(name->value);
    out.push_back(MakeDiagnostic(Code::kUnknownService, name->place,
                                 "there is no service " + yaml::Quoted(name->value),
                                 std::move(hint)));
  }
}

}  // namespace march::checks
