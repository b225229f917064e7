#include "compiler/ownership/change.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/suggest.h"
#include "compiler/diff/changes.h"
#include "compiler/yaml/quote.h"

namespace march::ownership {
namespace {

using Kind = Definition::Kind;
using yaml::Quoted;

// "the service "payments"", "the cluster".
std::string Called(const Definition& definition) {
  switch (definition.kind) {
    case Kind::kService:
      return "the service " + Quoted(definition.name);
    case Kind::kMapping:
      return "the mapping " + Quoted(definition.name);
    case Kind::kOwner:
      return "the owner " + Quoted(definition.name);
    case Kind::kCluster:
      return "the cluster";
    case Kind::kDefault:
      return "the default action";
  }
  return {};
}

diff::Side SideOf(const State& state) {
  return {state.policy, state.rules};
}

class Checker {
 public:
  Checker(const State& base, const State& next, const Author& who)
      : base_(base), next_(next), who_(who), changed_(ChangedDefinitions(base, next)) {
    for (const Owner& owner : base.ownership.owners) {
      if (HasMember(owner, who.name, who.is_key)) owners_.push_back(&owner);
    }
  }

  Diagnostics Run() {
    if (base_.ownership.owners.empty()) {
      return {MakeDiagnostic(Code::kNoOwnership, {},
                             "the base has no document of kind Ownership, so nobody may change it",
                             "add one first, in a change that is not checked against a base")};
    }
    const bool administrator =
        std::any_of(owners_.begin(), owners_.end(), [](const auto* o) { return o->administrator; });
    if (administrator) return {};
    if (owners_.empty() && !changed_.empty()) {
      return {MakeDiagnostic(Code::kNotAnOwner, changed_.front().place,
                             Name() + " is a member of no owner, and may change nothing",
                             "ask " + ListOf(Administrators()) + ", who are administrators")};
    }
    for (const Owner* const owner : owners_) traffic_.Add(owner->traffic);
    for (const Definition& definition : changed_) CheckDefinition(definition);
    CheckTraffic();
    CheckNames(next_, base_);
    CheckNames(base_, next_);
    SortByPlace(out_);
    return std::move(out_);
  }

 private:
  static bool MayChange(const Owner& owner, const Definition& definition, const State& base,
                        const State& next) {
    if (owner.administrator) return true;
    if (definition.kind == Kind::kMapping) return MatchesAny(owner.mappings, definition.name);
    if (definition.kind != Kind::kService) return false;
    if (MatchesAny(owner.services, definition.name)) return true;
    // Whose it was decides; of a new one, whose it is to be.
    const model::Service* service = FindService(base.policy, definition.name);
    if (service == nullptr) service = FindService(next.policy, definition.name);
    return service->owner == owner.name;
  }

  // Those for whom `may` holds: administrators last.
  template <class May>
  std::vector<std::string_view> Those(May may) const {
    std::vector<std::string_view> names;
    for (const bool administrator : {false, true}) {
      for (const Owner& owner : base_.ownership.owners) {
        if (owner.administrator == administrator && may(owner)) names.emplace_back(owner.name);
      }
    }
    return names;
  }

  std::vector<std::string_view> Administrators() const {
    return Those([](const Owner& owner) { return owner.administrator; });
  }

  void CheckDefinition(const Definition& definition) {
    const auto may = [&](const Owner& owner) { return MayChange(owner, definition, base_, next_); };
    if (std::any_of(owners_.begin(), owners_.end(), [&](const auto* o) { return may(*o); })) return;
    out_.push_back(MakeDiagnostic(
        Code::kNotTheirDefinition, definition.place,
        Called(definition) + " is " + definition.verb + " by " + Name() + ", who may not do that",
        ListOf(Those(may)) + " may"));
  }

  // The verdict, and who decides it.
  static std::string Verdict(const State& state, std::optional<std::uint32_t> rule) {
    if (!rule) return std::string(ActionName(state.rules.default_action)) + " by default";
    const ruleset::Rule& decider = state.rules.rules[*rule];
    return std::string(ActionName(decider.action)) + " by " + Quoted(decider.name);
  }

  static SourceRange PlaceOf(const State& state, std::optional<std::uint32_t> rule) {
    return rule ? state.rules.rules[*rule].place : SourceRange{};
  }

  void CheckTraffic() {
    const auto changes = diff::FindChanges(SideOf(base_), SideOf(next_));
    for (const diff::Change& change : changes) {
      space::PacketSet outside = change.packets;
      outside.Subtract(traffic_);
      const auto witness = outside.Witness();
      if (!witness) continue;
      const auto may = [&](const Owner& owner) {
        return owner.administrator || owner.traffic.Contains(*witness);
      };
      const SourceRange was = PlaceOf(base_, change.before);
      const SourceRange is = PlaceOf(next_, change.after);
      Diagnostic fault =
          MakeDiagnostic(Code::kNotTheirTraffic, is.valid() ? is : was,
                         "the verdict on " + witness->ToString() + " changes from " +
                             Verdict(base_, change.before) + " to " + Verdict(next_, change.after) +
                             ", which is not for " + Name() + " to say",
                         "its traffic belongs to " + ListOf(Those(may)));
      if (is.valid() && was.valid()) fault.WithNote(was, "it was decided here");
      out_.push_back(std::move(fault));
    }
    // Whole packets say more, and whoever may not change those need not hear of the rest.
    if (out_.empty()) CheckFragments();
  }

  // Later fragments of packets whose verdict depends on their ports.
  void CheckFragments() {
    space::PacketSet outside = diff::FindFragmentChanges(SideOf(base_), SideOf(next_));
    outside.Subtract(traffic_);
    auto witness = outside.Witness();
    if (!witness) return;
    witness->later_fragment = true;
    witness->source_port = 0;
    witness->SetDetail(0);
    out_.push_back(MakeDiagnostic(
        Code::kNotTheirTraffic, changed_.front().place,
        "later fragments, which have no ports, change their verdict, as " + witness->ToString() +
            "; that is not for " + Name() + " to say, who does not own all ports",
        "change all ports of the protocol alike, or ask " + ListOf(Administrators())));
  }

  // What a mapping does to names shows in no packet yet: it could be any.
  void CheckNames(const State& state, const State& other) {
    for (diff::NamedReach& reach : diff::FindNamedChanges(SideOf(state), SideOf(other))) {
      const model::Mapping& mapping = state.policy.mappings[reach.mapping];
      reach.packets.Subtract(traffic_);
      const auto witness = reach.packets.Witness();
      if (!witness || !reported_.insert(mapping.name).second) continue;
      out_.push_back(MakeDiagnostic(
          Code::kNotTheirTraffic, mapping.place,
          "the change reaches what the mapping " + Quoted(mapping.name) +
              " does to host names, which can stand for any address, as in " + witness->ToString() +
              ", and that is not for " + Name() + " to say",
          "who changes it must own the traffic to and from every address that a name may have"));
    }
  }

  std::string Name() const { return std::string(who_.name); }

  const State& base_;
  const State& next_;
  const Author& who_;
  std::vector<const Owner*> owners_;  // that `who` is a member of
  space::PacketSet traffic_;          // theirs
  std::vector<Definition> changed_;
  std::set<std::string_view> reported_;  // mappings, by CheckNames
  Diagnostics out_;
};

}  // namespace

Diagnostics CheckChange(const State& base, const State& next, const Author& who) {
  return Checker(base, next, who).Run();
}

}  // namespace march::ownership
